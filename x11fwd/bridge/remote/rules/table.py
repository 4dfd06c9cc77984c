"""All rules, in the order in which they are asked."""

from x11fwd.bridge.remote.rules.again import SameAgain
from x11fwd.bridge.remote.rules.atoms import AtomRule
from x11fwd.bridge.remote.rules.base import RuleTable
from x11fwd.bridge.remote.rules.changes import ChangeRule
from x11fwd.bridge.remote.rules.colors import ColorRule
from x11fwd.bridge.remote.rules.extensions import ExtensionRule
from x11fwd.bridge.remote.rules.facts import FactRule
from x11fwd.bridge.remote.rules.focus import InputFocus
from x11fwd.bridge.remote.rules.fonts import FontRule
from x11fwd.bridge.remote.rules.foreseen import Foreseen
from x11fwd.bridge.remote.rules.geometry import OwnAttributes, OwnGeometry
from x11fwd.bridge.remote.rules.properties import OwnProperties
from x11fwd.bridge.remote.rules.raster import OwnImage
from x11fwd.bridge.remote.rules.rootprops import RootPropertyRule
from x11fwd.bridge.remote.rules.selections import SelectionRule
from x11fwd.bridge.remote.rules.windows import WindowGone, WindowWatch

RULES: RuleTable = (
    ColorRule,
    AtomRule,
    ExtensionRule,
    FactRule,
    RootPropertyRule,
    SelectionRule,
    FontRule,
    ChangeRule,
    InputFocus,  # before WindowWatch, to see where a window lies before that changes
    WindowWatch,
    WindowGone,
    OwnGeometry,
    OwnAttributes,
    OwnImage,
    OwnProperties,
    SameAgain,
    Foreseen,  # last: what is known needs no foresight
)
