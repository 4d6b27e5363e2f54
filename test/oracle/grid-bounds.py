"""Tile bounds by morecantile.

  grid-bounds.py REQUEST.json    {"sets": [OGC JSON documents…], "builtin": [ids…], "tiles": {id: [[matrix id, col, row]…]}}
                                 prints {id: [[left, bottom, right, top]…]}, "builtin/" + id for morecantile's own definition
"""
import json, sys
import morecantile


def bounds(tms, tiles):
    out = []
    for matrix, col, row in tiles:
        box = tms.xy_bounds(morecantile.Tile(col, row, int(matrix)))
        out.append([box.left, box.bottom, box.right, box.top])
    return out


request = json.load(open(sys.argv[1]))
answer = {}
for document in request["sets"]:
    tms = morecantile.TileMatrixSet.model_validate(document)
    answer[document["id"]] = bounds(tms, request["tiles"][document["id"]])
for name in request["builtin"]:
    answer["builtin/" + name] = bounds(morecantile.tms.get(name), request["tiles"][name])
print(json.dumps(answer))
