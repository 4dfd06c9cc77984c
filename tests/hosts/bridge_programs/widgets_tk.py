"""Tk's widgets, one after the other, each drawn before the next; then the end."""

import time
import tkinter
from tkinter import font, ttk

root = tkinter.Tk()


def settle() -> None:
    """Let events come, and then handle all of them: how they mix with drawing is not left to chance."""
    for _ in range(3):
        time.sleep(0.03)
        root.update()


root.title("widgets")
root.geometry("500x400+30+20")
menu = tkinter.Menu(root)
root.config(menu=menu)
inner = tkinter.Menu(menu, tearoff=False)
menu.add_cascade(label="File", menu=inner)
inner.add_command(label="Open")
settle()
entry = tkinter.Entry(root)
entry.insert(0, "some text in an entry")
entry.pack()
text = tkinter.Text(root, height=5, width=40)
text.insert("1.0", "Lines\nof text\nwith a tag\n")
text.tag_add("big", "2.0", "2.4")
text.tag_config("big", font=font.Font(size=20), foreground="#a03050")
text.pack()
settle()
canvas = tkinter.Canvas(root, width=200, height=100, background="white")
canvas.pack()
for at in range(0, 200, 10):
    canvas.create_line(at, 0, 200 - at, 100, fill=f"#{at:02x}4080")
canvas.create_oval(20, 20, 80, 80, fill="gold", stipple="gray50")
image = tkinter.PhotoImage(width=60, height=40)
for x in range(60):
    image.put([f"#{x * 4:02x}{y * 6:02x}80" for y in range(40)], to=(x, 0))
canvas.create_image(120, 50, image=image)
settle()
for widget in (
    ttk.Button(root, text="Press"),
    ttk.Progressbar(root, value=40),
    ttk.Scale(root),
    tkinter.Listbox(root, height=3),
):
    widget.pack()
    settle()
root.clipboard_clear()
root.clipboard_append("from Tk")
entry.selection_range(0, 4)
settle()
print(
    root.clipboard_get(),
    entry.getvar("tk_version"),
    root.winfo_geometry(),
    root.winfo_rootx(),
    entry.winfo_viewable(),
)
top = tkinter.Toplevel(root)
top.geometry("200x100+300+200")
tkinter.Label(top, text="another window", cursor="watch").pack()
settle()
root.geometry("300x300")
settle()
top.destroy()
settle()
root.bell()
root.iconify()
settle()
root.deiconify()
settle()
root.destroy()
