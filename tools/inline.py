"""Turn modules of monet_lib into notebook code that needs no monet_lib: of an import, only the order is left.

Of a module come only the functions, classes, methods and constants that the notebook's code reaches, with the comments
above them, and of a docstring its first paragraph. Statements to which the notebook's settings never come can be left
out too, see `settled`. What is left stays, line by line, as it is in the library.
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
GONE = "# left out"  # in the place of a line that goes, so that the others keep their numbers
# Keras calls other methods of its classes by itself; whole models are never saved in a notebook.
SAVING = {"get_config", "to_json"}
IMPORTING = {"find_spec"}  # what Python asks of an object in sys.meta_path


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
                    raise self.error(node, f"an import of a module. Write: from {PACKAGE}.module import name.")
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
        return {a.name: module_of(node.module, a.name, root) for node in self.package_imports for a in node.names}

    def only(self, nodes):
        """The Source of these top-level statements alone, without their text."""
        part = Source(self.where, "", self.name)
        part.__dict__["tree"] = ast.Module(list(nodes), [])
        return part

    def _bound(self, node):
        return set(self.only([node]).names().items())

    @cached_property
    def top(self):
        """{name: the top-level statement that binds it}, imports of monet_lib apart."""
        found = {}
        for node in self.tree.body:
            if node not in self.package_imports:
                found |= {name: node for name, _ in self._bound(node)}
        return found

    def inlined(self, kept=None, given=()):
        """The code without its docstring, its imports of monet_lib and marks for tools; tidied.

        kept: the top-level statements to keep, with the comments right above them; None keeps all. given: the pairs of
        `names` that code above has bound, whose imports are not repeated.
        """
        lines = self.text.splitlines()
        gone = list(self.package_imports)
        if self.name and ast.get_docstring(self.tree):
            gone.append(self.tree.body[0])
        if kept is not None:
            gone += [node for node in self.tree.body if node not in kept and node not in gone]
            used = set().union(*map(_free, kept))
            imports = (node for node in kept if isinstance(node, IMPORTS))
            gone += [node for node in imports if not {name for name, _ in self._bound(node) - set(given)} & used]
        for node in gone:
            first = _first_line(node)
            while first and lines[first - 1].startswith("#"):
                first -= 1
            lines[first : node.end_lineno] = [""] * (node.end_lineno - first)
        for node in ast.walk(self.tree) if kept is not None else ():
            if isinstance(node, ast.ClassDef):
                for method in methods_of(node):
                    if method not in kept:
                        first = _first_line(method)
                        first -= not lines[first - 1].strip()
                        lines[first : method.end_lineno] = [GONE] * (method.end_lineno - first)
                for decorator in node.decorator_list:
                    if "register_keras_serializable" in ast.unparse(decorator):  # for whole models in files
                        lines[decorator.lineno - 1] = GONE
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and "\n\n" in (ast.get_docstring(node) or ""):
                first, last = node.body[0].lineno - 1, node.body[0].end_lineno
                if lines[first].strip().startswith('"""'):  # not of what is left out
                    end = next(number for number in range(first, last) if not lines[number].strip())
                    lines[end - 1] += '"""'
                    lines[end:last] = [GONE] * (last - end)
        text = "\n".join(line for line in lines if line.strip() != GONE)
        return re.sub(r"\n{4,}", "\n\n\n", CLUTTER.sub("", text).strip())

    def settled(self, facts):
        """The same where each test in `facts` always has the value given there: only what is done then, at its place.

        facts: {test of an `if` statement, as ast.unparse writes it: True or False}. Raises BuildError where there is no
        such `if`.
        """
        text = self.text
        for test, value in facts.items():
            settled = _settled(text, test, value)
            if settled == text:
                raise BuildError(f"{self.where}: no `if {test}` to settle. Correct the facts.")
            text = settled
        return Source(self.where, text, self.name)

    def without(self, names):
        """The same without some functions, or methods ("Class.method"). Raises BuildError where one is not there."""
        lines, found = self.text.splitlines(), {}
        for node in self.tree.body:
            found[getattr(node, "name", None)] = node
            found |= {f"{node.name}.{m.name}": m for m in methods_of(node)} if isinstance(node, ast.ClassDef) else {}
        for name in names:
            if name not in found:
                raise BuildError(f"{self.where}: has no {name} to leave out. Correct the list.")
            first = _first_line(found[name])
            lines[first : found[name].end_lineno] = [""] * (found[name].end_lineno - first)
        return Source(self.where, "\n".join(lines), self.name)


def _settled(text, test, value):
    """Code in which every `if` with that test is replaced by its branch for the value, True or False."""
    lines, tree = text.splitlines(), ast.parse(text)
    for body in (getattr(node, name, None) for node in ast.walk(tree) for name in ("body", "orelse")):
        for node in body if isinstance(body, list) else ():
            if not isinstance(node, ast.If) or ast.unparse(node.test) != test:
                continue
            first, branch = node.lineno - 1, node.body if value else node.orelse
            kept = lines[branch[0].lineno - 1 : branch[-1].end_lineno] if branch else []
            if lines[first].strip().startswith("elif"):  # what is left of it stays a branch
                chained = kept and kept[0].strip().startswith("elif")
                kept = kept if chained or not kept else [lines[first].split("elif")[0] + "else:", *kept]
            elif not value and kept and kept[0].strip().startswith("elif"):
                kept[0] = kept[0].replace("elif", "if", 1)
            else:
                kept = [line.removeprefix("    ") for line in kept]
            while not value and lines[first - 1].strip().startswith("#"):
                first -= 1
            ends = bool(branch) and isinstance(branch[-1], ast.Return)
            last = body[-1].end_lineno if ends else node.end_lineno
            return _settled("\n".join([*lines[:first], *kept, *lines[last:]]), test, value)
    return text


def methods_of(node):
    """The methods of a class."""
    return [each for each in node.body if isinstance(each, ast.FunctionDef)]


def _first_line(node):
    """The number, from 0, of the line on which a statement begins, its decorators included."""
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1


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


def reached(own, root=ROOT, facts=None, left_out=None):
    """[(Source of a module, the set of its statements and methods that `own` reaches)], each module after all it needs.

    A statement reaches what the names in it stand for: in its module, or in the module that they are imported from. A
    method is reached where its name is asked of anything, or where Keras or Python may call it.
    facts: {module: what is known of its tests}, see `Source.settled`. left_out: {module: names}, see `Source.without`;
    of those of them that are needed the notebook has its own.
    """
    sources, kept, users = {}, {}, {}
    asked, waiting = set(), []

    def visit(user, module, name):
        if module not in sources:
            whole = read_module(module, root).without((left_out or {}).get(module, ()))
            sources[module] = whole.settled((facts or {}).get(module, {}))
            kept[module] = set()
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
        methods = methods_of(node) if isinstance(node, ast.ClassDef) else []
        waiting.extend((source, node, method) for method in methods)
        within = [each for part in methods for each in ast.walk(part)]
        nodes = [each for each in ast.walk(node) if each not in set(within)]
        asked.update(each.attr for each in nodes if isinstance(each, ast.Attribute))
        for name in sorted(_free(node, set(methods))):
            if name in source.handed_on(root):
                visit(source.name, source.handed_on(root)[name], name)
            elif source.name and name in source.top:
                visit(None, source.name, name)

    follow(own, own.tree)
    while True:
        found = [each for each in waiting if _is_called(*each[1:], asked)]
        if not found:
            break
        for each in found:
            waiting.remove(each)
            source, _, method = each
            if source.name:
                kept[source.name].add(method)
            follow(source, method)
    order = _in_order(own.name, users)
    return [(sources[module], kept[module]) for module in order if kept.get(module)]


def _free(node, apart=()):
    """The names that code asks of its surroundings: not those that it binds itself within a function."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if not isinstance(node, FUNCTIONS):
        return set().union(*(_free(each, apart) for each in ast.iter_child_nodes(node) if each not in apart))
    names = set().union(*(_free(each) for each in (node.body if isinstance(node.body, list) else [node.body])))
    bound = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    bound |= {n.id for n in _running(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    outside = (*ast.iter_child_nodes(node.args), *getattr(node, "decorator_list", ()), getattr(node, "returns", None))
    return (names - bound).union(*(_free(each) for each in outside if each))


def _is_called(node, method, asked):
    """Whether a method of the class `node` may be called, where the names in `asked` are asked of anything."""
    name = method.name
    by_itself = node.bases and not name.startswith("_") and name not in SAVING
    return name in asked | IMPORTING or by_itself or (name.startswith("__") and name.endswith("__"))


def _in_order(first, users):
    """The modules below `first`, each after those that it uses. Raises BuildError for a circle."""
    levels = {}

    def level(name, above=()):
        if name in above:
            raise BuildError(f"{PACKAGE}/{name}.py: imports itself through {', '.join(above)}. Cut the circle.")
        if name not in levels:
            levels[name] = 1 + max((level(each, (*above, name)) for each in users.get(name, ())), default=0)
        return levels[name]

    level(first)
    return sorted(levels, key=lambda name: (levels[name], name))


def check(parts, own):
    """Raise BuildError unless these parts of modules, and then the notebook's `own` code, can share one namespace."""
    origins = {}
    for source, kept in (*parts, (own, own.tree.body)):
        part = source.only(node for node in source.tree.body if node in kept)
        if source.name:
            _check_only_defines(source)
        optional = set(_optional_imports(part.tree))
        for node in ast.walk(part.tree):
            if node in optional:
                continue
            packages = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            packages += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for package in {p.split(".")[0] for p in packages} - AVAILABLE - {PACKAGE} - sys.stdlib_module_names:
                raise source.error(node, f"imports {package}, which Kaggle may lack. Do without it.")
        for name, origin in part.names().items():
            if origins.setdefault(name, origin) != origin:
                raise BuildError(f"{source.where}: {name} is already {origins[name]}'s. Rename one of the two.")


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
