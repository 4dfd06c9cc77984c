"""GTK's widgets in a window, drawn and changed in fixed turns; then the end."""

import time

import gi  # type: ignore[import-not-found,unused-ignore]

gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gtk  # type: ignore[import-not-found,unused-ignore]  # noqa: E402  the version first

Gtk.Settings.get_default().props.gtk_enable_animations = False
Gtk.Settings.get_default().props.gtk_cursor_blink = False
window = Gtk.Window(title="widgets")
window.set_default_size(400, 300)
box = Gtk.VBox()
window.add(box)
entry, scale, button = (
    Gtk.Entry(text="some text"),
    Gtk.HScale.new_with_range(0, 100, 1),
    Gtk.Button(label="Press"),
)
for widget in (entry, scale, button, Gtk.Label(label="a label")):
    box.pack_start(widget, True, True, 0)
window.show_all()


def settle() -> None:
    for _ in range(4):
        Gdk.Display.get_default().sync()
        time.sleep(0.06)
        while Gtk.events_pending():
            Gtk.main_iteration()


settle()
scale.set_value(40)
settle()
Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).set_text("from GTK", -1)
window.resize(300, 320)
settle()
other = Gtk.Window(title="other")
other.add(Gtk.Label(label="another window"))
other.show_all()
settle()
other.destroy()
button.set_label("Pressed")
settle()
print(Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text(), tuple(window.get_size()))
window.destroy()
settle()
