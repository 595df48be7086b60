"""Interactive figures: a still figure for GitHub and saved notebooks, and controls that draw it anew."""

import html
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from IPython.display import Image as DisplayImage
from IPython.display import display

from monet_lib.figures import encode

QUICK = 0.3  # seconds: a figure drawn faster than this follows the hand, a slower one waits until it lets go
# Live controls have the same figure under them: JupyterLab and Notebook 7 then hide the still one. Screen readers find
# the alt text beside the controls, as an Image widget has none (and breaks when it gets a tooltip).
EXPLORER_STYLE = """<style>
.jp-OutputArea-child:has(+ .jp-OutputArea-child .monet-explorer) { display: none; }
.monet-explorer .monet-alt { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.monet-explorer .widget-readout { min-width: 44px; }
.monet-explorer .widget-image { align-self: flex-start; margin: 6px 0 0; }
</style>"""


def explore(draw: Callable[..., Any], alt: str, **controls: Any) -> "Explorer":
    """Show draw(**start values), and in a running notebook controls over it. Returns them by name, as an Explorer.

    draw: called with a value for each control; returns a Figure or an image (h, w, 3).
    controls: name=(low, high, start) for a slider (integers or floats), name=[a, b, ...] for a choice.
    A cell can move a control, `controls["x"].value = 3`, and call `controls.redraw()`; both raise what draw raises.
    Moved on the page, a control writes the error under itself. Without ipywidgets the Explorer is empty.
    """
    data, format = encode(draw(**{name: _start(control) for name, control in controls.items()}))
    display(DisplayImage(data=data, format=format, alt=alt))
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to move the controls of this figure.")
        return Explorer({}, lambda: None)
    made = {name: _control(ipywidgets, name, control) for name, control in controls.items()}
    return _live(ipywidgets, draw, made, (data, format), alt)


def _live(ipywidgets, draw, made, still, alt):
    """Display the controls `made` over the figure, which begins as `still`, and return their Explorer."""
    data, format = still
    image = ipywidgets.Image(value=data, format=format)
    hidden = f'{EXPLORER_STYLE}<span class="monet-alt">{html.escape(alt)}</span>'
    message = ipywidgets.HTML(hidden)

    def redraw():
        start = perf_counter()
        image.value, image.format = encode(draw(**{name: control.value for name, control in made.items()}))
        quick = perf_counter() - start < QUICK
        for control in made.values():
            if hasattr(control, "continuous_update"):
                control.continuous_update = quick

    def moved(_):
        message.value = hidden
        try:
            redraw()
        except Exception as error:  # on a page nobody would hear of it: the old figure stays
            message.value = f"{hidden}<b>{html.escape(f'{type(error).__name__}: {error}')}</b>"
            raise

    for control in made.values():
        control.observe(moved, "value")
    row = ipywidgets.Box([*made.values()], layout={"flex_flow": "row wrap"})
    bundle = ipywidgets.VBox([row, message, image]).add_class("monet-explorer")._repr_mimebundle_()
    display({**bundle, "text/plain": "Run this cell to move the controls of this figure."}, raw=True)
    return Explorer(made, redraw)


class Explorer(dict):
    """The controls of a figure by name; `redraw()` draws it from their values."""

    def __init__(self, controls: Mapping[str, Any], redraw: Callable[[], None]) -> None:
        super().__init__(controls)
        self.redraw = redraw

    def __repr__(self):
        return ", ".join(f"{name}={control.value}" for name, control in self.items())


def _start(control):
    return control[2] if isinstance(control, tuple) else control[0]


def _control(ipywidgets, name, control):
    common = {
        "description": name.replace("_", " "),
        "style": {"description_width": "initial"},
        # As many in a row as there is room for: 180 pixels beside the name at least.
        "layout": {
            "flex": f"1 1 {180 + 8 * len(name)}px",
            "max_width": "400px",
            "margin": "2px 16px 2px 2px",
        },
    }
    if isinstance(control, list):
        return ipywidgets.Dropdown(options=control, value=control[0], **common)
    low, high, start = control
    common.update(min=low, max=high, value=start, continuous_update=False)
    if all(isinstance(value, int) for value in control):
        return ipywidgets.IntSlider(**common)
    return ipywidgets.FloatSlider(step=(high - low) / 50, **common)
