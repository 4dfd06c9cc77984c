"""The test lab: real Debian hosts, screens, people and distant links on one machine; only tests import it."""
