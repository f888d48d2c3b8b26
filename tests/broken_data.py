"""Rules that break ``.npz`` files and folders of pictures; each takes where and what draws."""

from __future__ import annotations

import io
import os
import zipfile

import numpy as np

NPZ_RULES = {}
FOLDER_RULES = {}
PICTURE_RULES = {}
"""Those that only show when TensorFlow reads the pictures."""


def arrays(train=40, test=20, classes=4, shape=(6, 6)):
    """Arrays in Keras's layout; every class occurs in both parts."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (train, *shape), dtype=np.uint8),
        "y_train": (np.arange(train) % classes).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, *shape), dtype=np.uint8),
        "y_test": (np.arange(test) % classes).astype(np.uint8),
    }


def saved(content):
    """The bytes of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez(file, **content)
    return file.getvalue()


def npz_of(name, rng):
    """Return the bytes of a file that breaks one rule, now and then two."""
    content = arrays()
    if rng.random() < 0.2:
        NPZ_RULES[rng.choice(sorted(_BY_ARRAY))](content, rng)
    found = NPZ_RULES[name](content, rng)
    return saved(content) if found is None else found


def _npz(function):
    NPZ_RULES[function.__name__] = function
    return function


def _array(name, keys, *makers):
    """A rule that puts something else in the place of one array."""

    def apply(content, rng):
        key = rng.choice([key for key in keys if key in content] or list(keys))
        old = content.get(key, np.zeros(40, np.uint8))
        content[key] = rng.choice(makers)(np.asarray(old), rng)

    NPZ_RULES[name] = apply
    _BY_ARRAY.append(name)


def _with(values, *odd):
    """The array as floats or text with one odd value somewhere."""

    def make(old, rng):
        new = old.astype(values)
        if new.size:
            new.flat[rng.randrange(new.size)] = rng.choice(odd)
        return new

    return make


_BY_ARRAY: list[str] = []
X, Y, XY = ("x_train", "x_test"), ("y_train", "y_test"), ("x_train", "y_train", "x_test", "y_test")
_array(
    "pixels_not_finite",
    X,
    _with("f8", np.nan, np.inf, -np.inf),
    _with("f2", np.nan),
    _with("f4", 3e38),
)
_array("other_numbers", XY, *(
    lambda old, rng, kind=kind: old.astype(kind)
    for kind in ("c8", "?", "i8", ">i4", ">f8", "f2", "g", "u8", "i1")
))  # fmt: skip
_array("no_numbers", XY, *(
    lambda old, rng, kind=kind: old.astype(kind)
    for kind in ("U3", "S3", "M8[D]", "m8[s]", [("a", "i4")], "V1", "O")
))  # fmt: skip
_array(
    "wrong_length", XY, lambda old, rng: old[:-1], lambda old, rng: old[:0], lambda old,
    rng: old[:1],
    lambda old, rng: np.concatenate([old, old]),
)  # fmt: skip
_array(
    "wrong_axes", XY, lambda old, rng: old[None], lambda old, rng: old[..., None, None, None],
    lambda old, rng: old.ravel(), lambda old, rng: np.asarray(1), lambda old, rng: old.T,
    lambda old, rng: old[..., :0], lambda old, rng: np.zeros((0, 6, 6)), lambda old,
    rng: old[..., None],
    lambda old, rng: np.repeat(old[..., None], 7, -1), lambda old,
    rng: np.eye(4)[old.ravel()[:40] % 4],
)  # fmt: skip
_array("odd_labels", Y, _with("f8", 0.5, np.nan, np.inf, 1e300, -1.0), _with("i8", -1, 2**62, 99),
       _with("u8", 2**63, 2**64 - 1), _with("f8", 2.0**53, 2.0**60))  # fmt: skip
_array("one_class", Y, lambda old, rng: np.zeros_like(old), lambda old, rng: np.full_like(old, 3))
_array(
    "many_classes", Y, lambda old, rng: np.arange(old.size), lambda old,
    rng: np.arange(old.size)[::-1],
    lambda old, rng: old + np.arange(old.size) // 2,
)  # fmt: skip
_array("rare_class", ("y_train",), lambda old, rng: np.where(np.arange(old.size) == 3, 3, old % 3))
_array("enormous_pixels", X, _with("i8", 2**63 - 1, -(2**63)), _with("f8", 1.7e308, -1.7e308),
       _with("u8", 2**64 - 1), lambda old, rng: np.where(old > 99, 1e308, -1e308))  # fmt: skip
_array(
    "constant_pixels",
    X,
    lambda old, rng: np.zeros_like(old),
    lambda old, rng: np.full_like(old, 255),
)
_array("odd_class_names", ("class_names",), *(
    lambda old, rng, names=names: np.array(names, dtype=object if None in names else None)
    for names in (
        ["a"], ["a"] * 4, [1, 2, 3, 4], ["a", "b", "c", None], ["", " ", "\0", "\n"], [b"a",
        b"\xff"] * 2,
        ["a", "b", "c", "d", "e"], ["x" * 9000, "b", "c", "d"], ["\x1b[31m", "<b>", "=1+1",
        "\u202e"],
        [["a", "b"], ["c", "d"]], [0.5, 1, 2, 3],
    )
))  # fmt: skip
_array("odd_groups", ("groups",), *(
    lambda old, rng, values=values: np.array(values)
    for values in (
        np.zeros(40), np.arange(40), np.arange(39), ["a"] * 40, [np.nan] * 40, np.zeros((40, 2)),
        [0, 1] * 20, [0.5] * 40, np.zeros(40, complex), ["é", "\0"] * 20,
    )
))  # fmt: skip


@_npz
def missing_array(content, rng):
    for key in list(content)[: rng.randrange(1, 5)]:
        del content[key]


@_npz
def misnamed_array(content, rng):
    key = rng.choice(sorted(content))
    content[rng.choice(["X_train", "x", "arr_0", "x train", "../x_train", "x_train.npy"])] = (
        content.pop(key)
    )


@_npz
def python_objects(content, rng):
    content[rng.choice(XY)] = np.array([{"a": 1}, None, [1]], dtype=object)
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, **content)
    return file.getvalue()


@_npz
def cut_short(content, rng):
    whole = saved(content)
    return whole[: rng.randrange(len(whole))]


@_npz
def damaged_bytes(content, rng):
    damaged = bytearray(saved(content))
    for _ in range(rng.randrange(1, 30)):
        damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    return bytes(damaged)


@_npz
def no_zip(content, rng):
    npy, pickled = io.BytesIO(), b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01e."
    np.save(npy, content["x_train"])
    return rng.choice([b"", b"\0", b"PK", b"PK\x03\x04", b"text\n" * 9, npy.getvalue(), pickled])


@_npz
def foreign_members(content, rng):
    """A member that is no array, or lies about itself."""
    whole = io.BytesIO(saved(content))
    member, held = rng.choice([
        ("x_train.npy", b""), ("y_train.npy", b"text"), ("class_names", b"raw"), ("../evil.npy",
        b""),
        ("x_test", b"raw"), (" ", b""), ("groups.npy", b"\x93NUMPY"),
    ])  # fmt: skip
    kept = [name for name in content if member not in (f"{name}.npy", name)]
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(new := io.BytesIO(), "w") as archive:
        for name in kept:
            archive.writestr(f"{name}.npy", old.read(f"{name}.npy"))
        archive.writestr(member, held)
    return new.getvalue()


@_npz
def lying_header(content, rng):
    """A header that announces more than there is, or what is no header."""
    header = rng.choice([
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 28, 28), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2000000, 6, 6), }",
        "{'descr': '<f8', 'fortran_order': True, 'shape': (9223372036854775807,), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 6, 6), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (40,), }",
        "{'descr': 'nonsense', 'fortran_order': False, 'shape': (40,), }",
        "{'shape': (40,)}", "__import__('os').abort()", "[" * 500, "",
    ])  # fmt: skip
    held = b"\x93NUMPY\x01\x00" + (len(header) + 1).to_bytes(2, "little") + header.encode() + b"\n"
    key = rng.choice(sorted(content))
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        for name, value in content.items():
            np.save(npy := io.BytesIO(), value)
            archive.writestr(f"{name}.npy", held if name == key else npy.getvalue())
    return file.getvalue()


def picture(size=(8, 8), kind="PNG", mode="RGB"):
    """The bytes of a picture."""
    from PIL import Image

    Image.new(mode, size).save(file := io.BytesIO(), kind)
    return file.getvalue()


def build(folder, classes=("ant", "bee"), count=4):
    """A folder of class folders, each with so many pictures."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.png").write_bytes(picture())


def _folder(kind):
    def keep(function):
        kind[function.__name__] = function
        return function

    return keep


def _class(folder, rng):
    return folder / rng.choice(["ant", "bee"])


def _write(folder, name, held):
    """A file whose name need not be text."""
    number = os.open(os.path.join(folder, name), os.O_CREAT | os.O_WRONLY)  # noqa: PTH118 - bytes
    os.write(number, held)
    os.close(number)


def _emptied(folder):
    for file in folder.iterdir():
        file.unlink()


@_folder(FOLDER_RULES)
def empty_class(folder, rng):
    _emptied(_class(folder, rng))


@_folder(FOLDER_RULES)
def one_class_folder(folder, rng):
    path = _class(folder, rng)
    _emptied(path)
    path.rmdir()


@_folder(FOLDER_RULES)
def file_that_is_no_picture(folder, rng):
    name = rng.choice(["notes.txt", "a.npz", "Thumbs.db", "x", "a.png.txt", "é.tiff", "a\nb.txt"])
    (_class(folder, rng) / name).write_bytes(rng.choice([b"", b"text", picture()]))


@_folder(FOLDER_RULES)
def picture_outside_classes(folder, rng):
    (folder / rng.choice(["a.png", "A.JPG", ".hidden.png", "\x1b.gif"])).write_bytes(picture())
    (folder / "bee" / "notes.txt").write_bytes(b"")


@_folder(FOLDER_RULES)
def only_links(folder, rng):
    """Links to nothing, to themselves, or to the folder around them."""
    path = _class(folder, rng)
    _emptied(path)
    for name in ("a.png", "b.png"):
        (path / name).symlink_to(rng.choice([name, "..", "nowhere.png", "/dev/null"]))
    if rng.random() < 0.8:
        (path / "loose.txt").symlink_to("loose.txt")


@_folder(FOLDER_RULES)
def link_loop(folder, rng):
    (folder / rng.choice(["loop", "ant/loop", "bee/loop"])).symlink_to(folder, True)
    (folder / "ant" / "loop.txt").symlink_to("loop.txt")


@_folder(FOLDER_RULES)
def unreadable_name(folder, rng):
    name = rng.choice([b"\xff\xfe.txt", b"\xe9.doc", b"\x01\x02", b"a\xc3"])
    _write(os.fsencode(_class(folder, rng)), name, b"")


@_folder(FOLDER_RULES)
def nothing_there(folder, rng):
    for name in ("ant", "bee"):
        _emptied(folder / name)
        (folder / name).rmdir()
    if rng.random() < 0.5:
        folder.rmdir()
    if not folder.exists() and rng.random() < 0.5:
        folder.write_bytes(rng.choice([b"", b"text"]))


@_folder(FOLDER_RULES)
def train_without_classes(folder, rng):
    for part in ("train", "test"):
        (folder / part / rng.choice(["ant", "bee", ".hidden"])).mkdir(parents=True)


@_folder(PICTURE_RULES)
def broken_picture(folder, rng):
    whole = picture(kind=rng.choice(["PNG", "JPEG", "GIF", "BMP"]))
    held = rng.choice([b"", b"text", whole[: rng.randrange(len(whole))], whole[:9] + b"\0" * 99])
    suffix = rng.choice(["png", "jpg", "gif", "bmp", "JPEG"])
    (_class(folder, rng) / f"9.{suffix}").write_bytes(held)


@_folder(PICTURE_RULES)
def pictures_of_many_kinds(folder, rng):
    mode, kind = rng.choice([("L", "PNG"), ("RGBA", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("1",
    "BMP"),
                             ("I;16", "PNG"), ("RGB", "TIFF"), ("RGB", "WEBP")])  # fmt: skip
    held = picture(rng.choice([(1, 1), (900, 2), (3, 700)]), kind, mode)
    (_class(folder, rng) / rng.choice(["9.png", "9.gif", "9.bmp"])).write_bytes(held)


@_folder(PICTURE_RULES)
def too_few_pictures(folder, rng):
    path = _class(folder, rng)
    for file in sorted(path.iterdir())[rng.randrange(1, 3) :]:
        file.unlink()


@_folder(PICTURE_RULES)
def links_among_pictures(folder, rng):
    link = _class(folder, rng) / "link.png"
    link.symlink_to(rng.choice(["link.png", "0.png", "..", "nowhere.png", "/dev/null"]))


@_folder(PICTURE_RULES)
def odd_picture_names(folder, rng):
    name = rng.choice(
        [b"\xff\xfe.png", b"\xe9.jpg", b"a b.png", b"\n.png", b"-.png", b"*.png", b"%s.png"]
    )
    _write(os.fsencode(_class(folder, rng)), name, picture())


@_folder(PICTURE_RULES)
def odd_class_folder_names(folder, rng):
    (folder / "ant").rename(
        folder / rng.choice(["é", "a b", "\n", "\x1b[31m", "x" * 200, "<b>", "=1"])
    )
