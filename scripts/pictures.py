#!/usr/bin/env python3
"""Makes the pictures of the README: `just pictures`.

The real program runs on its paper desk (`botwarden demo`) in a tmux server of its own. Keys are sent, what the terminal
then shows is captured with its colours, and drawn as SVG: text that can be selected and searched, on a dark or light
ground. The same capture always gives the same file. The machine is called "trade-box-1" in every picture, the user "ana".

    scripts/pictures.py BINARY [NAME...]     into docs/pictures; all of them if none is named
    scripts/pictures.py --draw FILE          draws a capture (of `tmux capture-pane -e -p`) to standard output
"""

import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from html import escape
from pathlib import Path

MADE_BY = "Made by scripts/pictures.py from the program itself; do not edit, run `just pictures`."
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
HOST, USER = "trade-box-1", "ana"
# Nothing on the screen is waited for any longer.
PATIENCE = 60

# The sixteen colours of a terminal on a dark ground, and on a light one; then foreground and background.
DARK = ("#1d1f26 #f0616d #7fd17f #e5c76b #6aa9ff #c792ea #5fd0d6 #c8ccd4 "
        "#6b7280 #ff7b86 #98e698 #ffdf87 #8fc1ff #dda6ff #84e6ec #ffffff #d4d7dd #14161b").split()
LIGHT = ("#24292f #b3202c #1b6e2b #7d5a00 #0b57c2 #7a2fa8 #0a6c74 #6a737d "
         "#57606a #cf222e #1a7f37 #9a6700 #0969da #8250df #1b7c83 #8c959f #1f2328 #ffffff").split()

CELL_W, CELL_H, EDGE = 8.4, 16.5, 12


# --- What is in a picture ------------------------------------------------------------------------------------------

def press(*keys):
    return lambda desk: desk.keys(*keys)


def shows(text):
    return lambda desk: desk.shows(text)


def settled(seconds):
    return lambda _: time.sleep(seconds)


def apart(desk):
    """The list of bots has the keys, nothing is zoomed, and no search is left."""
    desk.keys("Escape", "1")
    for _ in range(3):
        text = desk.text()
        if " 1 Bots" in text and (" 4 Logs" in text or " 2 Orders" in text):
            return
        desk.keys("z")
    raise SystemExit("the list of bots does not come back:\n" + text)


# Each picture: its size, and what is done before it is taken. All are of the same desk, in this order. To wait for
# `shows` is to wait for the screen; `settled` only lets a desk become lively.
MAIN = [shows("says: "), settled(25), press("g", "j", "j", "j")]
PICTURES = [
    ("main", (120, 36), [*MAIN, press("2"), shows(" 2 Orders"), press("1"), settled(2)]),
    ("logs", (120, 36), [press("4", "z"), settled(1), press("/"), press("-l", "quote|order"), press("Enter"), settled(3)]),
    ("inspect", (120, 36), [apart, press("i"), shows("Inspect"), settled(2)]),
    ("help", (120, 56), [press("i"), apart, press("?"), shows("Help"), settled(1)]),
    ("palette", (80, 24), [press("Escape"), settled(1), press(":"), settled(2)]),
    ("history", (80, 24), [press("Escape"), settled(1), press("7"), settled(3)]),
    ("light", (120, 36), [apart, press("4", "1", "T"), settled(2)]),
    ("guard", (80, 24), [press("T", "T", "T"), settled(1), press("!"), shows("STOP EVERYTHING"), settled(1)]),
    ("stopped", (80, 24), [press("!"), shows("RESULT"), settled(2)]),
]


class Desk:
    """A paper desk in a terminal that nobody sees."""

    def __init__(self, binary, folder):
        self.socket = os.path.join(folder, "tmux")
        # Names of the machine and of people, and where it stands, are no business of a picture's reader.
        home = re.escape(folder) + r"/botwarden-demo-[\w-]+"
        self.replace = [
            (re.escape(str(binary)), "botwarden"),
            (home + "/work", "~/desk"),
            (home, "~/desk"),
            (rf"(?<![\w-]){re.escape(os.uname().nodename)}(?![\w-])", HOST),
            (rf"(?<![\w-]){re.escape(pwd.getpwuid(os.getuid()).pw_name)}(?![\w-])", USER),
        ]
        keep = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
        self.env = {**keep, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "TERM": "xterm-256color",
                    "USER": USER, "LOGNAME": USER, "TZ": "UTC"}
        line = f"exec {shlex.quote(str(binary))} demo"
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "36", line)
        # Escape is a key here and no beginning of one.
        self.tmux("set", "-s", "escape-time", "0")

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"tmux {shlex.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *keys):
        if keys[0] == "-l":
            self.tmux("send-keys", *keys)
            return
        for key in keys:
            # Two presses of one key within a moment are a stuck key to the emergency stop.
            self.tmux("send-keys", key)
            time.sleep(0.4)

    def resize(self, size):
        self.tmux("resize-window", "-x", str(size[0]), "-y", str(size[1]))
        time.sleep(1)

    def shows(self, text):
        until = time.monotonic() + PATIENCE
        while text not in self.text():
            if time.monotonic() > until:
                raise SystemExit(f"the screen does not show {text!r}:\n" + self.text())
            time.sleep(0.1)

    def text(self):
        return self.tmux("capture-pane", "-p")

    def capture(self):
        text = self.tmux("capture-pane", "-e", "-p")
        for what, instead in self.replace:
            text = in_place(text, what, instead)
        return text

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "send-keys", "C-c"], env=self.env, capture_output=True)
        # The demo stops its bots and removes its home; it asks first where bots run.
        for _ in range(100):
            if subprocess.run(["tmux", "-S", self.socket, "send-keys", "y"], env=self.env, capture_output=True).returncode:
                return
            time.sleep(0.3)
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], env=self.env, capture_output=True)


def in_place(text, what, instead):
    """Replaces what is found; blanks behind it make up for another length, so that columns stay."""
    def other(found):
        blanks = len(found.group(2))
        if blanks == 0:
            return instead
        return instead + " " * max(min(blanks, 1), blanks + len(found.group(1)) - len(instead))

    def line(row):
        changed = re.sub(rf"({what})( *)", other, row)
        surplus = visible(changed) - visible(row)
        # What has become longer takes from the widest gap behind it.
        while surplus > 0 and "  " in changed:
            gap = max(re.findall(r" {2,}", changed), key=len)
            cut = min(surplus, len(gap) - 1)
            changed = changed.replace(gap, gap[cut:], 1)
            surplus -= cut
        # What has become shorter gives to the last one.
        if surplus < 0:
            gaps = list(re.finditer(r" {2,}", changed))
            end = gaps[-1].end() if gaps else len(changed)
            changed = changed[:end] + " " * -surplus + changed[end:]
        return changed

    return "\n".join(line(row) for row in text.split("\n"))


def visible(row):
    return len(re.sub(r"\x1b\[[0-9;:]*m", "", row))


# --- From a capture to cells ---------------------------------------------------------------------------------------

def cells(capture):
    """The rows of a capture: runs of (text, style), a style being a sorted tuple of pairs."""
    style = {}
    rows = []
    for row in capture.rstrip("\n").split("\n"):
        runs = []
        at = 0
        for found in re.finditer(r"\x1b\[([0-9;:]*)m", row):
            runs.append((row[at:found.start()], tuple(sorted(style.items()))))
            at = found.end()
            style = styled(style, found.group(1).replace(":", ";"))
        runs.append((row[at:], tuple(sorted(style.items()))))
        rows.append([(re.sub(r"\x1b.|[\x00-\x1f]", "", text), look) for text, look in runs if text])
    return rows


def styled(style, codes):
    style = dict(style)
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style = {}
        elif code in (38, 48):
            ground = "fg" if code == 38 else "bg"
            if numbers[:1] == [5]:
                style[ground] = numbers[1]
                numbers = numbers[2:]
            elif numbers[:1] == [2]:
                style[ground] = "#%02x%02x%02x" % tuple(numbers[1:4])
                numbers = numbers[4:]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style["fg"] = code - 30 if code < 90 else code - 82
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style["bg"] = code - 40 if code < 100 else code - 92
        else:
            for on, off, name in ((1, 22, "bold"), (2, 22, "dim"), (3, 23, "italic"), (4, 24, "underline"), (7, 27, "reverse")):
                if code == on:
                    style[name] = True
                elif code == off:
                    style.pop(name, None)
            if code == 39:
                style.pop("fg", None)
            if code == 49:
                style.pop("bg", None)
    return style


def colour(value, palette):
    if value is None or isinstance(value, str):
        return value
    if value < 16:
        return palette[value]
    if value < 232:
        steps = (0, 95, 135, 175, 215, 255)
        value -= 16
        return "#%02x%02x%02x" % (steps[value // 36], steps[value // 6 % 6], steps[value % 6])
    grey = 8 + (value - 232) * 10
    return f"#{grey:02x}{grey:02x}{grey:02x}"


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


# --- From cells to a picture ---------------------------------------------------------------------------------------

def draw(name, capture, size, palette):
    rows = cells(capture)
    width = size[0] * CELL_W + 2 * EDGE
    height = size[1] * CELL_H + 2 * EDGE
    fore, back = palette[16], palette[17]
    grounds, texts = [], []
    for y, row in enumerate(rows[:size[1]]):
        x = 0
        spans = []
        for text, look in row:
            look = dict(look)
            fg, bg = colour(look.get("fg"), palette), colour(look.get("bg"), palette)
            if look.get("reverse"):
                fg, bg = bg or back, fg or fore
            left, span = EDGE + x * CELL_W, columns(text) * CELL_W
            if bg:
                grounds.append(f'<rect x="{left:.1f}" y="{EDGE + y * CELL_H:.1f}" width="{span:.1f}" height="{CELL_H}" fill="{bg}"/>')
            marks = []
            if fg:
                marks.append(f'fill="{fg}"')
            if look.get("bold"):
                marks.append('font-weight="bold"')
            if look.get("italic"):
                marks.append('font-style="italic"')
            if look.get("underline"):
                marks.append('text-decoration="underline"')
            if look.get("dim"):
                marks.append('fill-opacity="0.6"')
            if text.strip():
                # Where a run stands is said for each, so that no font can shift a column.
                spans.append(f'<tspan x="{left:.1f}" textLength="{span:.1f}" {" ".join(marks)}>{escape(text, quote=False)}</tspan>'.replace(" >", ">"))
            x += columns(text)
        if spans:
            texts.append(f'<text y="{EDGE + y * CELL_H + 12.6:.1f}">' + "".join(spans) + "</text>")
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<!-- {MADE_BY} -->",
        f"<title>botwarden: {escape(name)}, {size[0]}x{size[1]}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{back}"/>',
        *grounds,
        f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="{fore}" xml:space="preserve">',
        *texts,
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main(words):
    if words[:1] == ["--draw"]:
        capture = Path(words[1]).read_text()
        rows = capture.rstrip("\n").split("\n")
        print(draw(words[1], capture, (max(visible(row) for row in rows), len(rows)), DARK), end="")
        return
    if not words or words[0].startswith("-"):
        raise SystemExit(__doc__.strip())
    if not shutil.which("tmux"):
        raise SystemExit("pictures are taken in tmux, which is not installed here")
    binary = Path(words[0]).resolve()
    if not binary.is_file():
        raise SystemExit(f"{words[0]}: there is no such program; `cargo build --release` makes it")
    unknown = set(words[1:]) - {name for name, _, _ in PICTURES}
    if unknown:
        raise SystemExit(f"no picture is called {', '.join(sorted(unknown))}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures") as folder:
        desk = Desk(binary, folder)
        try:
            for name, size, steps in PICTURES:
                desk.resize(size)
                for step in steps:
                    step(desk)
                if words[1:] and name not in words[1:]:
                    continue
                (FOLDER / f"{name}.svg").write_text(draw(name, desk.capture(), size, LIGHT if name == "light" else DARK))
                print(f"docs/pictures/{name}.svg", flush=True)
        finally:
            desk.close()


if __name__ == "__main__":
    main(sys.argv[1:])
