"""Objects that go on the wire, as one text each: `members({"at": 1, "zone": z}, "{", "}")` becomes `('{"at":%s,"zone":%s}', (1, z))`.

Rule: a key by itself is a name that the interpreter never forgets (or an object of 16 bytes); in one text for the whole object it costs nothing. Only what
is written out in a call of MEMBERS is rewritten, and becomes what that function, which lies in the firmware, would return.
"""

import ast

from tools.micropython.bundler.walking import Transformer

MEMBERS = "members"


class _Fill(Transformer):
    changed = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The call, if it is one of `members` with an object that is written out."""
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id != MEMBERS:
            return node
        given, *around = node.args
        beside = [text.value for text in around if isinstance(text, ast.Constant) and isinstance(text.value, str)]
        if not isinstance(given, ast.Dict) or len(beside) != len(around):
            return node
        before, after = [*beside, "", ""][:2]
        keys = [key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        if len(keys) != len(given.keys) or not all(key.isidentifier() for key in keys):
            return node
        self.changed = True
        text = before + ",".join(f'"{key}":%s' for key in keys) + after
        return ast.Tuple([ast.Constant(text), ast.Tuple(given.values, ast.Load())], ast.Load())


def with_filled_texts(source: str) -> str:
    """A module with its objects as texts."""
    tree = ast.parse(source)
    fill = _Fill()
    fill.visit(tree)
    if not fill.changed:
        return source
    return ast.unparse(ast.fix_missing_locations(tree))
