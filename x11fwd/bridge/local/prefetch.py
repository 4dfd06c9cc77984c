"""What the local half asks the X server ahead and tells the remote half; `keeper` uses it.

Everything goes out in pipelined bursts: what needs nothing, then what needs the opcodes of extensions and the
numbers of atoms, then what needs ids out of replies. A topic is asked again whenever it has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.bridge.local import names, questions
from x11fwd.bridge.local.colorcheck import ColorCheck
from x11fwd.bridge.local.rounds import LARGEST_FACT, Round, Rounds
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
    DEVICES,
    FOCUS,
    FONTS,
    KEYBOARD,
    POINTER,
    ROOT_TOPICS,
    ROOT_WINDOWS,
    SCREENS,
    changed_topic,
    root_topic,
    selection_topic,
)

if TYPE_CHECKING:
    from x11fwd.bridge.shared.setup import Setup
    from x11fwd.bridge.shared.wire import Packet

    Key = tuple[str, int]

LAST_ATOM = 1000  # up to which atoms that nobody here has interned are asked for; a server's own come first
_FIRST_ATOM = 1
_BAD_NAME = 15
_YOUR_EVENTS = 36  # your-event-mask in GetWindowAttributes' reply
# Extensions that every X server has, but not for untrusted clients (Xext/security.c)
_NOT_FOR_UNTRUSTED = ("SHAPE", "SYNC", "XKEYBOARD", "RENDER", "XFIXES")


class Prefetch(Rounds):
    """Asks and watches; `take` is for the X server, what `feed` returns for the remote half.

    Args:
        setup: the setup reply of the keeper's connection.
        order: its byte order.
    """

    def __init__(self, setup: Setup, order: str) -> None:
        super().__init__(order)
        self._setup = setup
        self._order = order
        self._roots = [root.root for root in setup.roots]
        self._majors = Majors()
        self._atoms: dict[bytes, int] = {}
        self._names: dict[int, bytes] = {}
        self._next_id = setup.id_base
        self._begin()

    def refresh_fonts(self) -> None:
        """Ask again for fonts, which change without an event; only differences are told."""
        found = self._rounds[FONTS]
        if not found.open:
            found.times = 0
            self._run(found)

    def refresh(self) -> None:
        """Ask again for what may change without an event. Only differences are told.

        Where the keeper is untrusted, these are the properties of roots: such a client hears of no event of a
        window that is not its own (Xorg's Xext/security.c, SecurityReceive).
        """
        if any(self._majors.opcode(name) for name in _NOT_FOR_UNTRUSTED):
            return
        for topic, found in self._rounds.items():
            if topic.startswith(ROOT_TOPICS) and not found.open:
                found.times = 0
                self._run(found)

    def refresh_focus(self) -> None:
        """Ask again who has the input focus, and how roots are; only differences are told."""
        for topic in (FOCUS, ROOT_WINDOWS):
            found = self._rounds.get(topic)
            if found is not None and not found.open:
                found.times = 0
                self._run(found)

    def _topic_of(self, packet: Packet) -> bytes | None:
        return changed_topic(packet, self._order, self._majors, self._roots)

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
        self._round(ROOT_WINDOWS, self._ask_roots)

    def _ask_focus(self, found: Round) -> None:
        self._ask_fact(found, (CORE, 43), questions.empty(self._order, 43))

    def _ask_roots(self, found: Round) -> None:
        for root in self._roots:
            request = questions.resource(self._order, 3, root)

            def heard(reply: bytes, request: bytes = request) -> None:
                # the keeper's own event mask is none of a program's
                reply = reply[:_YOUR_EVENTS] + bytes(4) + reply[_YOUR_EVENTS + 4 :]
                found.facts.append(Fact(found.topic, request, reply))

            self._ask(found, request, heard)

    def _ask_extensions(self, found: Round) -> None:
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

    def _ask_colors(self, found: Round, check: ColorCheck) -> None:
        for request, heard in check.requests():
            if heard is None:
                self._asker.tell(request)
            else:
                self._ask(found, request, heard)

    def _tell_colors(self, check: ColorCheck) -> None:
        right = check.right()
        if right:
            self._payloads.append(control.colors_payload(right))

    def _ask_color_names(self, found: Round) -> None:
        for name in names.colors():
            request = questions.lookup_color(self._order, self._setup.roots[0].colormap, name)
            self._ask_fact(found, ("", 92), request)

    def _ask_atoms(self, found: Round) -> None:
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

        def ask(found: Round) -> None:
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

            def ask(found: Round) -> None:
                self._ask(found, request, lambda reply: found.facts.append(Fact(found.topic, request, reply)))

            self._round(root_topic(root, atom), ask)

    def _ask_fonts(self, found: Round) -> None:
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

    def _ask_several(self, found: Round, kind: Key, request: bytes) -> None:
        found.open += 1

        def answered(replies: bytes, good: bool) -> None:
            if good and len(replies) <= LARGEST_FACT:
                found.facts.append(Fact(found.topic, fact_key(kind, request), replies))
            self._close(found)

        self._asker.ask(request, answered, several=True)

    def _ask_font(self, found: Round, name: bytes) -> None:
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
        self._once(lambda found: self._ask_all(found, questions.double_buffers(order, majors, self._roots)))
        self._once(lambda found: self._ask_all(found, questions.graphics(order, majors, len(self._roots))))

    def _ask_all(self, found: Round, asked: list[tuple[Key, bytes]]) -> None:
        for kind, request in asked:
            self._ask_fact(found, kind, request)

    def _ask_versions(self, found: Round) -> None:
        for kind, request in questions.versions(self._order, self._majors):

            def heard(reply: bytes, kind: Key = kind, request: bytes = request) -> None:
                for other, said in questions.earlier_versions(self._order, kind, request, reply):
                    found.facts.append(Fact(found.topic, other, said))

            self._ask_fact(found, kind, request, heard)

    def _ask_keyboard(self, found: Round) -> None:
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

    def _ask_screens(self, found: Round) -> None:
        order, majors = self._order, self._majors
        for root in self._roots:
            self._ask_fact(found, (CORE, 14), questions.resource(order, 14, root))
        self._ask_all(found, questions.screens(order, majors, self._roots))
        for kind, request in questions.screen_resources(order, majors, self._roots):
            self._ask_fact(
                found,
                kind,
                request,
                lambda reply: self._ask_all(found, questions.outputs(order, majors, reply, self._atoms)),
            )

    def _ask_devices(self, found: Round) -> None:
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
