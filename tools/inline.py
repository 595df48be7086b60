"""Turn modules of monet_lib into notebook code that needs no monet_lib: of an import, only the order is left.

Of a module come only the functions, classes and constants that the notebook's code reaches, with the comments above
them; each stays, to the letter, as it is in the library.
Everything is decided by reading the code (ast); nothing is imported or run. What can't be inlined raises BuildError.
"""

import ast
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "monet_lib"
ROOT = Path(__file__).resolve().parents[1]
# What Kaggle's images hold, beside the standard library. What is imported in a `try` for ImportError may lack.
AVAILABLE = {
    "IPython",
    "PIL",
    "google",
    "google_crc32c",
    "ipywidgets",
    "keras",
    "matplotlib",
    "numpy",
    "seaborn",
    "tensorflow",
    "tqdm",
}
IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.ClassDef, *IMPORTS, ast.Assign, ast.AnnAssign)
FUNCTIONS = (ast.FunctionDef, ast.Lambda)
SCOPES = (*FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Calls that do something, and so can't make a module's constant.
ACTING = {"print", "open", "input", "exec", "eval", "setattr", "delattr", "__import__"}
ACTING_MODULES = {"os", "sys", "shutil", "subprocess", "warnings", "logging"}
CLUTTER = re.compile(r" *# (noqa|fmt: skip).*$", re.M)


class BuildError(Exception):
    """Code that can't be inlined. The message says where, what was found and what to do, in one line."""


@dataclass(frozen=True)
class Source:
    """Code to inline. where: for messages; name: the module's, "" for a notebook's own code."""

    where: str
    text: str
    name: str = ""

    @cached_property
    def tree(self):
        return ast.parse(self.text)

    def error(self, node, found):
        return BuildError(f"{self.where}, line {node.lineno}: {found}")

    @cached_property
    def package_imports(self):
        """The import statements of monet_lib. Raises BuildError for a form that can't be removed."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                if any(alias.name.split(".")[0] == PACKAGE for alias in node.names):
                    raise self.error(node, f"import {PACKAGE}. Write: from {PACKAGE}.module import name.")
            elif isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] == PACKAGE):
                if node.level or (self.name and any(is_module(node.module, a.name) for a in node.names)):
                    raise self.error(
                        node, f"an import of a module. Write: from {PACKAGE}.module import name."
                    )
                if node not in self.tree.body:
                    raise self.error(node, f"{PACKAGE} is imported inside a block. Move it to the top.")
                named = [a for a in node.names if not is_module(node.module, a.name)]
                if any(a.asname or a.name == "*" for a in named):
                    raise self.error(node, "imports under another name, or all. Import the names themselves.")
                found.append(node)
        return found

    def names(self):
        """{name: where it comes from} of all that running this code binds at the top level.

        Imported names come from their module and are equal wherever they are imported; others from this source.
        """
        found = {}
        for node in _running(self.tree, SCOPES):
            if node in self.package_imports:
                continue
            if isinstance(node, IMPORTS):
                for alias in node.names:
                    whole = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
                    bound = alias.asname or alias.name.split(".")[0]
                    found[bound] = whole if alias.asname or isinstance(node, ast.ImportFrom) else bound
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = self.where
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found[node.id] = self.where
        return found

    def handed_on(self, root=ROOT):
        """{name: the module of monet_lib that it is imported from}."""
        return {
            a.name: module_of(node.module, a.name, root) for node in self.package_imports for a in node.names
        }

    @cached_property
    def top(self):
        """{name: the top-level statement that binds it}, imports of monet_lib apart."""
        found = {}
        for node in self.tree.body:
            if node in self.package_imports:
                continue
            alone = Source(self.where, "", self.name)
            alone.__dict__["tree"] = ast.Module([node], [])
            found |= dict.fromkeys(alone.names(), node)
        return found

    def inlined(self, kept=None):
        """The code without its docstring, its imports of monet_lib and marks for tools; tidied.

        kept: the top-level statements to keep, with the comments right above them; None keeps all.
        """
        lines = self.text.splitlines()
        gone = list(self.package_imports)
        if self.name and ast.get_docstring(self.tree):
            gone.append(self.tree.body[0])
        if kept is not None:
            gone += [node for node in self.tree.body if node not in kept and node not in gone]
        for node in gone:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
            while first and lines[first - 1].startswith("#"):
                first -= 1
            for number in range(first, node.end_lineno):
                lines[number] = ""
        text = CLUTTER.sub("", "\n".join(lines)).strip()
        return re.sub(r"\n{4,}", "\n\n\n", text)


def is_module(package, name, root=ROOT):
    """Whether `from package import name` takes a module of monet_lib, and not something of a module."""
    return root.joinpath(*package.split("."), f"{name}.py").exists()


def module_of(module, name, root=ROOT):
    """The module of monet_lib, such as "networks.layers", that `from module import name` takes from.

    A room hands on its modules and what its __init__ lists; of any other module the name is its own.
    """
    inside = module.split(".")[1:]
    folder = root.joinpath(PACKAGE, *inside)
    if not folder.is_dir():
        return ".".join(inside)
    if (folder / f"{name}.py").exists():
        return ".".join([*inside, name])
    for keyword in ast.walk(ast.parse((folder / "__init__.py").read_text())):
        if isinstance(keyword, ast.keyword) and keyword.arg == "submod_attrs":
            for submodule, names in ast.literal_eval(keyword.value).items():
                if name in names:
                    return ".".join([*inside, submodule])
    raise BuildError(f"{module}: hands on no {name}. Import it from its module.")


def read_module(name, root=ROOT):
    """The Source of a module of monet_lib: "errors", or "networks.layers" in a room."""
    path = root.joinpath(PACKAGE, *name.split(".")).with_suffix(".py")
    if not path.exists():
        raise BuildError(f"{PACKAGE}.{name}: no such module. Import one of {PACKAGE}/*.py.")
    return Source(str(path.relative_to(root)), path.read_text(), name)


def reached(own, root=ROOT):
    """[(Source of a module, the set of its statements that `own` reaches)], each module after all that it needs.

    A statement reaches what the names in it stand for: in its module, or in the module that they are imported from.
    Before all comes `quiet`, which must be there when TensorFlow is imported.
    """
    sources, kept, users = {}, {}, {}

    def visit(user, module, name):
        if module not in sources:
            sources[module], kept[module] = read_module(module, root), set()
        source = sources[module]
        if name in source.handed_on(root):  # imported there from further below
            return visit(user, source.handed_on(root)[name], name)
        if user is not None:
            users.setdefault(user, set()).add(module)
        node = source.top.get(name)
        if node is None:
            raise BuildError(f"{source.where}: has no {name}. Correct the import.")
        if node not in kept[module]:
            kept[module].add(node)
            follow(source, node)

    def follow(source, node):
        for name in sorted({each.id for each in ast.walk(node) if isinstance(each, ast.Name)}):
            if name in source.handed_on(root):
                visit(source.name, source.handed_on(root)[name], name)
            elif source.name and name in source.top:
                visit(None, source.name, name)

    follow(own, own.tree)
    order = _in_order(own.name, users)
    return [(sources[module], kept[module]) for module in order if kept.get(module)]


def _in_order(first, users):
    """The modules below `first`, each after those that it uses. Raises BuildError for a circle."""
    levels = {}

    def level(name, above=()):
        if name in above:
            raise BuildError(
                f"{PACKAGE}/{name}.py: imports itself through {', '.join(above)}. Cut the circle."
            )
        if name not in levels:
            levels[name] = 1 + max((level(each, (*above, name)) for each in users.get(name, ())), default=0)
        return levels[name]

    level(first)
    return sorted(levels, key=lambda name: (name != "quiet", levels[name], name))


def check(parts, own):
    """Raise BuildError unless these parts of modules, and then the notebook's `own` code, can share one namespace."""
    origins = {}
    for source, kept in (*parts, (own, own.tree.body)):
        tree = ast.Module([node for node in source.tree.body if node in kept], [])
        part = Source(source.where, source.text, source.name)
        part.__dict__["tree"] = tree
        if source.name:
            _check_only_defines(source)
        optional = set(_optional_imports(tree))
        for node in ast.walk(tree):
            if node in optional:
                continue
            packages = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            packages += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for package in (
                {p.split(".")[0] for p in packages} - AVAILABLE - {PACKAGE} - sys.stdlib_module_names
            ):
                raise source.error(node, f"imports {package}, which Kaggle may lack. Do without it.")
        for name, origin in part.names().items():
            if origins.setdefault(name, origin) != origin:
                raise BuildError(
                    f"{source.where}: {name} is already {origins[name]}'s. Rename one of the two."
                )


def _optional_imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(
            isinstance(h.type, ast.Name) and h.type.id == "ImportError" for h in node.handlers
        ):
            yield from (each for each in node.body if isinstance(each, IMPORTS))


def _check_only_defines(source):
    """A module may define things when it is imported, and do nothing else."""
    for place, node in enumerate(source.tree.body):
        docstring = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        acts = any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in getattr(node, "targets", ()))
        # An import under a condition, for a backend that may not be there, is an import.
        imports = isinstance(node, ast.If) and all(isinstance(n, IMPORTS) for n in (*node.body, *node.orelse))
        if acts or not (docstring or imports or isinstance(node, DEFINITIONS)):
            raise source.error(node, "does something when it is imported. Move it into a function.")
    for node in _running(source.tree):
        if isinstance(node, ast.Name) and node.id == "__file__":
            raise source.error(node, "__file__, which a notebook doesn't have. Use globals().get.")
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ACTING or called.split(".")[0] in ACTING_MODULES:
                raise source.error(node, f"calls {called} when it is imported. Move it into a function.")


def _running(node, apart=FUNCTIONS):
    """The nodes below `node` that run with it: of those in `apart` only what a definition evaluates at once."""
    for child in ast.iter_child_nodes(node):
        yield child
        if isinstance(child, apart):
            for at_once in (
                *getattr(child, "decorator_list", ()),
                *ast.iter_child_nodes(getattr(child, "args", child)),
            ):
                if isinstance(at_once, ast.expr):
                    yield from (at_once, *_running(at_once, apart))
        else:
            yield from _running(child, apart)
