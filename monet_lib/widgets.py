"""Interactive figures: a static figure that stays, and controls that draw it anew where ipywidgets is at hand."""

from IPython.display import display

from monet_lib.viz import encode, show


def explore(draw, alt, **controls):
    """Show draw(**start values), and under it the same with controls. Returns the controls by name, as an Explorer.

    draw: called with a value for each control; returns a Figure or an image (h, w, 3).
    controls: name=(low, high, start) for a slider (integers or floats), name=[a, b, ...] for a choice.
    The static figure is what GitHub and a saved notebook show. A cell can move a control, `controls["x"].value = 3`,
    and call `controls.redraw()` to meet errors, which ipywidgets swallows in its own callbacks.
    """
    show(draw(**{name: _start(control) for name, control in controls.items()}), alt)
    try:
        import ipywidgets
    except ImportError:
        print("Install ipywidgets to move the controls of this figure.")
        return Explorer({}, lambda: None)
    made = {name: _control(ipywidgets, name, control) for name, control in controls.items()}
    data, format = encode(draw(**{name: control.value for name, control in made.items()}))
    image = ipywidgets.Image(value=data, format=format)

    def redraw(_=None):
        image.value = encode(draw(**{name: control.value for name, control in made.items()}))[0]

    for control in made.values():
        control.observe(redraw, "value")
    display(ipywidgets.VBox([*made.values(), image]))
    return Explorer(made, redraw)


class Explorer(dict):
    """The controls of a figure by name; `redraw()` draws it from their values."""

    def __init__(self, controls, redraw):
        super().__init__(controls)
        self.redraw = redraw


def _start(control):
    return control[2] if isinstance(control, tuple) else control[0]


def _control(ipywidgets, name, control):
    common = {"description": name.replace("_", " "), "style": {"description_width": "initial"}}
    if isinstance(control, list):
        return ipywidgets.Dropdown(options=control, value=control[0], **common)
    low, high, start = control
    if all(isinstance(value, int) for value in control):
        return ipywidgets.IntSlider(min=low, max=high, value=start, continuous_update=False, **common)
    slider = ipywidgets.FloatSlider
    return slider(min=low, max=high, value=start, step=(high - low) / 50, continuous_update=False, **common)
