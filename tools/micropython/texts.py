"""Objects that go on the wire, as one text each: `members({"at": 1, "zone": z})` becomes `filled('"at":%s,"zone":%s', (1, z))`.

Rule: a key by itself is a name that the interpreter never forgets (or an object of 16 bytes); in one text for the whole object it costs nothing. Only what
is written out in a call of MEMBERS is rewritten; what the two functions do lies in the firmware, and the first calls the second.
"""

import ast

MEMBERS, FILLED = "members", "filled"


class _Fill(ast.NodeTransformer):
    changed = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The call, if it is one of `members` with an object that is written out."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id != MEMBERS or len(node.args) != 1:
            return node
        (given,) = node.args
        if not isinstance(given, ast.Dict):
            return node
        keys = [key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        if len(keys) != len(given.keys) or not all(key.isidentifier() for key in keys):
            return node
        self.changed = True
        text = ",".join(f'"{key}":%s' for key in keys)
        return ast.Call(ast.Name(FILLED, ast.Load()), [ast.Constant(text), ast.Tuple(given.values, ast.Load())], [])


def with_filled_texts(source: str) -> str:
    """A module with its objects as texts; it imports FILLED from where it imports MEMBERS."""
    tree = ast.parse(source)
    fill = _Fill()
    fill.visit(tree)
    if not fill.changed:
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == MEMBERS for alias in node.names):
            node.names = [alias for alias in node.names if alias.name != MEMBERS] + [ast.alias(FILLED)]
    return ast.unparse(ast.fix_missing_locations(tree))
