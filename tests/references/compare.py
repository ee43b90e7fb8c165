"""Reads and packs blocks by tamis, by Python's gguf package and by libggml, and compares bits. compare.py DECODE_FORMATS
[LIBGGML_BASE]: the program that tests/references builds, and the library's path if the system does not find it. Ends with 77 (skipped)
where neither reference is there. Of NaN the payload does not count. What gguf packs otherwise than ggml is counted, and no failure."""
import ctypes
import ctypes.util
import struct
import subprocess
import sys

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)

# name: ggml's number, weights and bytes of a block, where its binary16 numbers are; whether it is packed
FORMATS = {
    "q4_0": (2, 32, 18, [0], True),
    "q4_1": (3, 32, 20, [0, 2], True),
    "q5_0": (6, 32, 22, [0], True),
    "q5_1": (7, 32, 24, [0, 2], True),
    "q8_0": (8, 32, 34, [0], True),
    "q2_k": (10, 256, 84, [80, 82], False),
    "q3_k": (11, 256, 110, [108], False),
    "q4_k": (12, 256, 144, [0, 2], False),
    "q5_k": (13, 256, 176, [0, 2], False),
    "q6_k": (14, 256, 210, [208], False),
    "iq4_nl": (20, 32, 18, [0], False),
    "tq2_0": (35, 256, 66, [64], True),
    "mxfp4": (39, 32, 17, [], True),
}
SPECIAL = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00, 0xFE01, 0x7C01]


class traits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64), ("bytes", ctypes.c_size_t),
                ("quantized", ctypes.c_bool), ("to_float", ctypes.c_void_p), ("from_float", ctypes.c_void_p)]


class libggml:
    name = "libggml"

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.ggml_get_type_traits.restype = ctypes.POINTER(traits)
        # fills the tables of older versions
        if hasattr(self.library, "ggml_init"):
            self.library.ggml_init.restype = ctypes.c_void_p
            self.library.ggml_init.argtypes = [ctypes.c_size_t * 3]

    def of(self, name):
        number, block, size, _, _ = FORMATS[name]
        found = self.library.ggml_get_type_traits(number).contents
        assert (found.name.decode().lower(), found.block, found.bytes) == (name, block, size), "another layout of traits"
        return found

    def read(self, name, rows):
        out = np.empty(rows.size // FORMATS[name][2] * FORMATS[name][1], np.float32)
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self.of(name).to_float)
        function(rows.ctypes.data, out.ctypes.data, out.size)
        return out

    def pack(self, name, weights):
        out = np.empty(weights.size // FORMATS[name][1] * FORMATS[name][2], np.uint8)
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(self.of(name).from_float)
        function(weights.ctypes.data, out.ctypes.data, weights.size)
        return out


class gguf_package:
    name = "gguf"

    def __init__(self):
        import gguf
        self.quants = gguf.quants
        self.type = lambda name: gguf.GGMLQuantizationType(FORMATS[name][0])

    def read(self, name, rows):
        with np.errstate(all="ignore"):
            return self.quants.dequantize(rows, self.type(name)).reshape(-1)

    def pack(self, name, weights):
        with np.errstate(all="ignore"):
            return self.quants.quantize(weights, self.type(name)).reshape(-1)


def ours(program, what, name, data, flushed=False):
    done = subprocess.run([program, what, name] + (["flushed"] if flushed else []), input=data.tobytes(), capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{what} {name} failed: {done.stderr.decode()}")
    return np.frombuffer(done.stdout, np.float32 if what == "read" else np.uint8)


def blocks_of(name, random):
    """Any bits; every pair of special scales; every code in every place; for mxfp4 every power of two."""
    _, _, size, halves, _ = FORMATS[name]
    any_bits = random.integers(0, 256, (4096, size), dtype=np.uint8)
    special = random.integers(0, 256, (len(SPECIAL) ** 2, size), dtype=np.uint8)
    for k, block in enumerate(special):
        for place, half in zip(halves, (SPECIAL[k % len(SPECIAL)], SPECIAL[k // len(SPECIAL)])):
            block[place:place + 2] = list(struct.pack("<H", half))
    codes = np.repeat(np.arange(256, dtype=np.uint8)[:, None], size, axis=1)
    for place in halves:
        codes[:, place:place + 2] = [0x66, 0x2E]  # 0.1
    if name == "mxfp4":
        powers = np.repeat(np.arange(256, dtype=np.uint8), 16)
        special = np.repeat(np.arange(16)[None, :], len(powers), axis=0) * 17
        special = np.concatenate([powers[:, None], (special + powers[:, None]) % 256], axis=1).astype(np.uint8)
        codes = np.concatenate([codes, np.concatenate([powers[:, None], np.repeat((np.arange(len(powers)) % 16 * 17)[:, None], 16, 1)], 1)]).astype(np.uint8)
    return np.concatenate([any_bits, special, codes])


def weights_for(name, random):
    """Blocks of many sizes, and largest magnitudes beside powers of two. As ggml defines them: no NaN, and no scale that it cannot
    invert."""
    block = FORMATS[name][1]
    plain = random.standard_normal((3000, block)) * np.exp2(random.integers(-24, 14, (3000, 1)))
    shifted = plain + random.standard_normal((3000, 1)) * np.abs(plain).max(1, keepdims=True)
    coarse = random.integers(-64, 65, (1000, block)) / 64
    zeros = np.zeros((4, block))
    edges = random.uniform(-1, 1, (252 * 24, block)) * 0.25
    powers = np.exp2(np.repeat(np.arange(-124, 128), 24).astype(np.float64))
    steps = np.tile(np.concatenate([-np.arange(0, 16), -np.array([22, 23, 44, 45, 46, 88, 89]), [1]]), 252)
    edges[:, 7] = 1 + steps * np.where(steps < 0, 2.0 ** -24, 2.0 ** -23)
    edges = edges * powers[:, None]
    if name != "mxfp4":
        edges = edges[(powers > 2.0 ** -100) & (powers < 2.0 ** 120)]
    with np.errstate(over="ignore"):
        return np.concatenate([plain, shifted, coarse, zeros, edges]).astype(np.float32)


def compare_nbits(program):
    """ONNX Runtime's MatMulNBits of the unit matrix gives the weights, as does tamis of the three tensors. How many differ."""
    try:
        import onnx
        import onnxruntime
    except ImportError:
        print("onnxruntime and onnx are not there: MatMulNBits is not compared")
        return 0
    onnxruntime.set_default_logger_severity(3)
    failures = 0
    for group in (32, 128):
        random = np.random.default_rng(2)
        outputs, inputs = 40, 3 * group
        b = random.integers(0, 256, (outputs, 3, group // 2), dtype=np.uint8)
        scales = random.uniform(0.01, 1, (outputs, 3)).astype(np.float32)
        zeros = random.integers(0, 256, (outputs, 2), dtype=np.uint8)
        # a one-dimensional tensor is what older versions took
        tensors = [("b", b), ("scales", scales.reshape(-1)), ("zeros", zeros.reshape(-1))]
        node = onnx.helper.make_node("MatMulNBits", ["a", "b", "scales", "zeros"], ["y"], domain="com.microsoft", K=inputs, N=outputs,
                                     bits=4, block_size=group)
        value = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph([node], "g", [value("a", 1, [inputs, inputs])], [value("y", 1, [inputs, outputs])],
                                       [onnx.numpy_helper.from_array(t, n) for n, t in tensors])
        model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17),
                                                                           onnx.helper.make_opsetid("com.microsoft", 1)])
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        expected = session.run(None, {"a": np.eye(inputs, dtype=np.float32)})[0].T
        data = b.tobytes() + scales.tobytes() + zeros.tobytes()
        got = np.frombuffer(subprocess.run([program, "nbits", str(group), str(outputs), str(inputs)], input=data, capture_output=True,
                                           check=True).stdout, np.float32).reshape(outputs, inputs)
        wrong = np.count_nonzero(~np.isclose(got, expected, rtol=2e-7, atol=0))
        failures += wrong
        print(f"MatMulNBits in groups of {group}: {got.size} weights, {wrong} other than ONNX Runtime's (by more than a rounding)")
    return failures


def same(a, b):
    return (a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))


def main(program, library=None):
    references = []
    try:
        references.append(gguf_package())
    except ImportError:
        print("gguf is not there: pip install gguf")
    library = library or ctypes.util.find_library("ggml-base")
    if library:
        references.append(libggml(library))
    else:
        print("libggml is not there")
    if not references:
        print("skipped: no reference is there")
        return 77
    failures = compare_nbits(program)
    for name, (_, _, size, _, packs) in FORMATS.items():
        random = np.random.default_rng(1)
        rows = blocks_of(name, random)
        read = {flushed: ours(program, "read", name, rows, flushed) for flushed in (False, True)}
        weights = weights_for(name, random)
        packed = ours(program, "pack", name, weights).reshape(-1, size) if packs else None
        for reference in references:
            expected = reference.read(name, rows)
            for flushed, got in read.items():
                wrong = np.count_nonzero(~same(got, expected))
                failures += wrong
                print(f"{name} read{', denormals flushed' if flushed else ''}: {expected.size} weights, "
                      f"{wrong} other than {reference.name}'s")
            if packs:
                expected = reference.pack(name, weights).reshape(-1, size)
                wrong = np.count_nonzero((packed != expected).any(axis=1))
                failures += wrong if reference.name == "libggml" else 0
                print(f"{name} packed: {len(expected)} blocks, {wrong} other than {reference.name}'s")
    print("failed" if failures else "all equal")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
