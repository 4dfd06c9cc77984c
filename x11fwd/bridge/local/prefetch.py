"""What the local half asks the X server ahead and tells the remote half; `keeper` uses it.

Everything goes out in pipelined bursts: what needs nothing, then what needs the opcodes of extensions and the
numbers of atoms, then what needs ids out of replies. A topic is asked again whenever it has changed.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from x11fwd.bridge.local import names, questions
from x11fwd.bridge.local.asking import Asker
from x11fwd.bridge.local.colorcheck import ColorCheck
from x11fwd.bridge.local.watch import (
    watch_devices,
    watch_keyboard,
    watch_roots,
    watch_screens,
    watch_selection,
)
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.control import Fact
from x11fwd.bridge.shared.factkeys import fact_key, font_key, whole_property
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.majors import CORE, Majors
from x11fwd.bridge.shared.topics import (
    CONSTANT,
    DEVICES,
    FOCUS,
    FONTS,
    KEYBOARD,
    POINTER,
    ROOT_TOPICS,
    SCREENS,
    changed_topic,
    root_topic,
    selection_topic,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.bridge.shared.setup import Setup
    from x11fwd.bridge.shared.wire import Packet

    Key = tuple[str, int]

LARGEST_FACT = 1 << 21  # bytes of a reply
LARGEST_BATCH = 1 << 22
MOST_ROUNDS = 200  # a topic that changes more often is left to the X server
LAST_ATOM = 1000  # up to which atoms that nobody here has interned are asked for; a server's own come first
_FIRST_ATOM = 1
_BAD_NAME = 15
# Extensions that every X server has, but not for untrusted clients (Xext/security.c)
_NOT_FOR_UNTRUSTED = ("SHAPE", "SYNC", "XKEYBOARD", "RENDER", "XFIXES")


class _Round:
    """All questions of one topic: what they brought, and how many are open."""

    def __init__(self, topic: bytes, ask: Callable[[_Round], None]) -> None:
        self.topic = topic
        self.ask = ask
        self.then: Callable[[], None] = lambda: None
        self.facts: list[Fact] = []
        self.told: list[Fact] | None = None
        self.open = 0
        self.stale = False
        self.times = 0


class Prefetch:
    """Asks and watches; `take` is for the X server, what `feed` returns for the remote half.

    Args:
        setup: the setup reply of the keeper's connection.
        order: its byte order.
    """

    def __init__(self, setup: Setup, order: str) -> None:
        self._setup = setup
        self._order = order
        self._roots = [root.root for root in setup.roots]
        self._majors = Majors()
        self._atoms: dict[bytes, int] = {}
        self._names: dict[int, bytes] = {}
        self._rounds: dict[bytes, _Round] = {}
        self._payloads: list[bytes] = []
        self._next_id = setup.id_base
        self._asker = Asker(order, self._event)
        self._begin()

    def take(self) -> bytes:
        """What is to be written to the X server."""
        return self._asker.take()

    def feed(self, data: bytes) -> list[bytes]:
        """The CONTROL payloads that follow from what the X server has sent.

        Raises:
            WireFault: it sends no X11.
        """
        self._asker.feed(data)
        found, self._payloads = self._payloads, []
        return found

    def refresh(self) -> None:
        """Ask again for what may change without an event. Only differences are told.

        That is fonts and, where the keeper is untrusted, properties of roots: such a client hears of no
        event of a window that is not its own (Xorg's Xext/security.c, SecurityReceive).
        """
        untrusted = not any(self._majors.opcode(name) for name in _NOT_FOR_UNTRUSTED)
        for topic, found in self._rounds.items():
            if (topic == FONTS or (untrusted and topic.startswith(ROOT_TOPICS))) and not found.open:
                found.times = 0
                self._run(found)

    def refresh_focus(self) -> None:
        """Ask again who has the input focus; only a difference is told."""
        found = self._rounds[FOCUS]
        if not found.open:
            found.times = 0
            self._run(found)

    # Rounds

    def _round(self, topic: bytes, ask: Callable[[_Round], None]) -> None:
        self._rounds[topic] = _Round(topic, ask)
        self._run(self._rounds[topic])

    def _once(self, ask: Callable[[_Round], None], then: Callable[[], None] = lambda: None) -> None:
        """Questions whose answers never change."""
        found = _Round(CONSTANT, ask)
        found.then = then
        self._run(found)

    def _run(self, found: _Round) -> None:
        found.facts, found.stale = [], False
        found.times += 1
        if found.times > MOST_ROUNDS:
            return
        found.open = 1
        found.ask(found)
        self._close(found)

    def _ask(self, found: _Round, request: bytes, heard: Callable[[bytes], None]) -> None:
        """A question of a round; errors are no answer."""
        found.open += 1

        def answered(reply: bytes, good: bool) -> None:
            if good:
                # a reply that is shorter than its counts say is no fact
                with suppress(struct.error, IndexError):
                    heard(reply)
            self._close(found)

        self._asker.ask(request, answered)

    def _ask_fact(
        self,
        found: _Round,
        kind: Key,
        request: bytes,
        then: Callable[[bytes], None] | None = None,
    ) -> None:
        """A question whose reply becomes a fact."""

        def heard(reply: bytes) -> None:
            if len(reply) <= LARGEST_FACT:
                found.facts.append(Fact(found.topic, fact_key(kind, request), reply))
            if then is not None:
                then(reply)

        self._ask(found, request, heard)

    def _close(self, found: _Round) -> None:
        found.open -= 1
        if found.open:
            return
        if found.stale:
            self._run(found)
            return
        if found.topic == CONSTANT:
            self._tell(found.facts)
            found.then()
        elif found.facts != found.told:
            # also when it was forgotten at the change: by now every program has had its event
            if found.told is not None:
                self._payloads.append(control.forget_payload(found.topic))
            self._tell(found.facts)
            found.told = found.facts

    def _tell(self, facts: list[Fact]) -> None:
        batch: list[Fact] = []
        size = 0
        for fact in facts:
            batch.append(fact)
            size += len(fact.request) + len(fact.reply)
            if size > LARGEST_BATCH:
                self._payloads += control.facts_payloads(batch)
                batch, size = [], 0
        self._payloads += control.facts_payloads(batch)

    def _event(self, packet: Packet) -> None:
        topic = changed_topic(packet, self._order, self._majors, self._roots)
        found = None if topic is None else self._rounds.get(topic)
        if topic is None or found is None:
            return
        self._payloads.append(control.forget_payload(topic))
        found.told = []  # so that the next answers are told, even if they are the same
        if found.open:
            found.stale = True
        else:
            self._run(found)

    # What is asked

    def _begin(self) -> None:
        for request in watch_roots(self._order, self._roots):
            self._asker.tell(request)
        self._once(self._ask_extensions)
        check = ColorCheck(self._setup, self._order, self._new_id)
        self._once(lambda found: self._ask_colors(found, check), lambda: self._tell_colors(check))
        self._once(self._ask_atoms, self._second)
        self._once(self._ask_color_names)
        self._round(FONTS, self._ask_fonts)
        self._round(FOCUS, self._ask_focus)

    def _ask_focus(self, found: _Round) -> None:
        self._ask_fact(found, (CORE, 43), questions.empty(self._order, 43))

    def _ask_extensions(self, found: _Round) -> None:
        self._ask_fact(found, (CORE, 99), questions.empty(self._order, 99))
        for name in names.extensions():
            self._ask_fact(
                found,
                (CORE, 98),
                questions.named(self._order, 98, name),
                lambda reply, name=name: self._learn(name, reply),  # type: ignore[misc]
            )

    def _learn(self, name: bytes, reply: bytes) -> None:
        if not reply[8]:
            return
        try:
            self._majors.learn(name.decode("latin-1"), reply[9], reply[10], reply[11])
        except ValueError as error:
            raise WireFault(str(error)) from None

    def _ask_colors(self, found: _Round, check: ColorCheck) -> None:
        for request, heard in check.requests():
            if heard is None:
                self._asker.tell(request)
            else:
                self._ask(found, request, heard)

    def _tell_colors(self, check: ColorCheck) -> None:
        right = check.right()
        if right:
            self._payloads.append(control.colors_payload(right))

    def _ask_color_names(self, found: _Round) -> None:
        for name in names.colors():
            request = questions.lookup_color(self._order, self._setup.roots[0].colormap, name)
            self._ask_fact(found, ("", 92), request)

    def _ask_atoms(self, found: _Round) -> None:
        wanted = [*names.atoms(), *names.manager_selections(len(self._roots))]
        for name in dict.fromkeys(wanted):
            self._ask(
                found,
                questions.named(self._order, 16, name),
                lambda reply, name=name: self._learn_atom(questions.word(self._order, reply, 8), name),  # type: ignore[misc]
            )

    def _learn_atom(self, atom: int, name: bytes) -> None:
        self._atoms[name] = atom
        self._names[atom] = name

    def _ask_other_atoms(self, told: set[int]) -> None:
        """Atoms that were there before, such as the X server's own names of keys."""
        last = min(max(told, default=0), LAST_ATOM)

        def ask(found: _Round) -> None:
            for atom in range(_FIRST_ATOM, last):
                if atom not in told:
                    self._ask(
                        found,
                        questions.atom_name(self._order, atom),
                        lambda reply, atom=atom: self._learn_atom(atom, questions.text(self._order, reply)),  # type: ignore[misc]
                    )

        def then() -> None:
            new = [(atom, name) for atom, name in self._names.items() if atom not in told]
            self._payloads.extend(control.atoms_payloads(new))

        self._once(ask, then)

    def _ask_property(self, root: int, atom: int) -> None:
        if atom:
            request = whole_property(self._order, root, atom)

            def ask(found: _Round) -> None:
                self._ask(found, request, lambda reply: found.facts.append(Fact(found.topic, request, reply)))

            self._round(root_topic(root, atom), ask)

    def _ask_fonts(self, found: _Round) -> None:
        for one in names.FONTS:
            self._ask_font(found, one.encode("ascii"))
        listed: set[bytes] = set()

        def heard(reply: bytes) -> None:
            for name in questions.strings(reply, 8, self._order):
                if name not in listed:
                    listed.add(name)
                    self._ask_several(found, (CORE, 50), questions.list_fonts(self._order, 50, name))

        for pattern in names.font_patterns():
            self._ask_fact(found, (CORE, 49), questions.list_fonts(self._order, 49, pattern), heard)

    def _ask_several(self, found: _Round, kind: Key, request: bytes) -> None:
        found.open += 1

        def answered(replies: bytes, good: bool) -> None:
            if good and len(replies) <= LARGEST_FACT:
                found.facts.append(Fact(found.topic, fact_key(kind, request), replies))
            self._close(found)

        self._asker.ask(request, answered, several=True)

    def _ask_font(self, found: _Round, name: bytes) -> None:
        """QueryFont's reply, or that there is no such font."""
        number = self._new_id()
        found.open += 1
        missing: list[bytes] = []

        def failed(error: bytes) -> None:
            if error[1] == _BAD_NAME:
                missing.append(error)

        def answered(reply: bytes, good: bool) -> None:
            if good or missing:
                found.facts.append(
                    Fact(found.topic, font_key(self._order, name), reply if good else missing[0])
                )
            self._close(found)

        self._asker.tell(questions.open_font(self._order, number, name), failed)
        self._asker.ask(questions.resource(self._order, 47, number), answered)
        self._asker.tell(questions.resource(self._order, 46, number))

    def _new_id(self) -> int:
        """An id that is not in use; few are needed, and those of the last font round may come again."""
        found = self._next_id
        mask = self._setup.id_mask
        self._next_id = self._setup.id_base | ((found & mask) + (mask & -mask) & mask)
        return found

    def _second(self) -> None:
        """The second burst: what needs opcodes or atoms, most wanted first."""
        self._payloads += control.atoms_payloads(self._names.items())
        told = set(self._names)
        order, majors = self._order, self._majors
        self._once(self._ask_versions)
        for request in (
            *watch_keyboard(order, majors),
            *watch_screens(order, majors, self._roots),
            *watch_devices(order, majors, self._roots),
        ):
            self._asker.tell(request)
        for name in names.root_properties():
            for root in self._roots:
                self._ask_property(root, self._atoms.get(name, 0))
        self._round(KEYBOARD, self._ask_keyboard)
        self._round(SCREENS, self._ask_screens)
        self._round(DEVICES, self._ask_devices)
        self._round(POINTER, lambda found: self._ask_fact(found, (CORE, 117), questions.empty(order, 117)))
        for name in names.manager_selections(len(self._roots)):
            self._ask_owner(name)
        self._ask_other_atoms(told)
        self._once(lambda found: self._ask_all(found, questions.graphics(order, majors, len(self._roots))))

    def _ask_all(self, found: _Round, asked: list[tuple[Key, bytes]]) -> None:
        for kind, request in asked:
            self._ask_fact(found, kind, request)

    def _ask_versions(self, found: _Round) -> None:
        for kind, request in questions.versions(self._order, self._majors):

            def heard(reply: bytes, kind: Key = kind, request: bytes = request) -> None:
                for other, said in questions.earlier_versions(self._order, kind, request, reply):
                    found.facts.append(Fact(found.topic, other, said))

            self._ask_fact(found, kind, request, heard)

    def _ask_keyboard(self, found: _Round) -> None:
        order, majors = self._order, self._majors
        self._ask_all(found, questions.core_keyboard(order, self._setup))
        whole, device = questions.keyboard(order, majors)
        self._ask_all(found, whole)
        if device is not None:
            # libxkbcommon asks which device the core keyboard is, then for everything of that device
            self._ask_fact(
                found,
                *device,
                lambda reply: self._ask_all(found, questions.keyboard_device(order, majors, reply[1])),
            )

    def _ask_screens(self, found: _Round) -> None:
        order, majors = self._order, self._majors
        self._ask_all(found, questions.screens(order, majors, self._roots))
        for kind, request in questions.screen_resources(order, majors, self._roots):
            self._ask_fact(
                found,
                kind,
                request,
                lambda reply: self._ask_all(found, questions.outputs(order, majors, reply, self._atoms)),
            )

    def _ask_devices(self, found: _Round) -> None:
        order, majors = self._order, self._majors
        for kind, request in questions.devices(order, majors):
            self._ask_fact(
                found,
                kind,
                request,
                lambda reply: self._ask_all(
                    found, questions.device_properties(order, majors, reply, self._atoms)
                ),
            )

    def _ask_owner(self, name: bytes) -> None:
        selection = self._atoms.get(name, 0)
        watch = watch_selection(self._order, self._majors, self._roots[0], selection)
        if selection and watch:
            self._asker.tell(watch[0])
            request = questions.resource(self._order, 23, selection)
            self._round(selection_topic(selection), lambda found: self._ask_fact(found, (CORE, 23), request))
