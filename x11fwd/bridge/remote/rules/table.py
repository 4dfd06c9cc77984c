"""All rules, in the order in which they are asked."""

from x11fwd.bridge.remote.rules.base import RuleTable

RULES: RuleTable = ()
