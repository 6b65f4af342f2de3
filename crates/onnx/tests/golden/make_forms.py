"""Makes the golden files of `tests/forms.rs`: one tiny network with the inputs, outputs and operators that exporters write.

    python crates/onnx/tests/golden/make_forms.py

The script needs onnx 1.23, onnxruntime and safetensors. It writes forms/NAME.onnx, and forms.safetensors with x, the images
(2, 3, H, W) with values in [0, 1] (or NAME.x where a network needs its own), and NAME.y (2, K), the logits of ONNX Runtime. Operators that ONNX Runtime lacks are computed by the reference implementation of the package onnx. Each network is
given as the text of its inputs, its nodes and its outputs; `LOGITS` stands for the usual nodes from `x` to `logits`.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
FEATURES = """
    c = Conv <kernel_shape = [3, 3], strides = [2, 2]> (x, conv_weight, conv_bias)
    r = Relu (c)
    p = GlobalAveragePool (r)
    features = Flatten (p)
"""
LOGITS = FEATURES + "logits = Gemm <transB = 1> (features, fc_weight, fc_bias)\n"
FLOATS = "float[N, 3, 16, 16] x"
# The mean and the standard deviation of ImageNet, for pixels from 0 to 255.
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def array(values, shape=None):
    values = np.asarray(values, np.float32)
    return values if shape is None else values.reshape(shape)


def networks():
    """Yields name, inputs, nodes, outputs, the value with the logits, version of the operators, and further constants."""
    y = "float[N, 5] y"
    logits = "float[N, 5] logits"

    def form(name, nodes, outputs, want="logits", inputs=FLOATS, opset=17, **constants):
        return name, inputs, nodes, outputs, want, opset, constants

    # The end of the network.
    yield form("softmax", LOGITS + "y = Softmax <axis = 1> (logits)", y)
    yield form("softmax_last_axis", LOGITS + "y = Softmax <axis = -1> (logits)", y)
    yield form("log_softmax", LOGITS + "y = LogSoftmax <axis = 1> (logits)", y)
    yield form("sigmoid", LOGITS + "y = Sigmoid (logits)", y)
    yield form("softmax_then_identity", LOGITS + "s = Softmax <axis = 1> (logits)\nd = Cast <to = 11> (s)\ny = Identity (d)",
               "double[N, 5] y")
    yield form("softmax_then_reshape", FEATURES + """
        wide = Conv <kernel_shape = [1, 1]> (p, fc_square, fc_bias)
        s = Softmax <axis = 1> (wide)
        logits = Flatten (wide)
        y = Flatten (s)""", y, fc_square=None)
    yield form("softmax_of_version_9", FEATURES + """
        wide = Conv <kernel_shape = [1, 1]> (p, fc_square, fc_bias)
        logits = Flatten (wide)
        y = Softmax (wide)""", "float[N, 5, 1, 1] y", opset=9, fc_square=None)
    yield form("softmax_in_parts", LOGITS + """
        m = ReduceMax <axes = [1], keepdims = 1> (logits)
        z = Sub (logits, m)
        e = Exp (z)
        one = Constant <value = int64[1] {1}> ()
        t = ReduceSum <keepdims = 1> (e, one)
        y = Div (e, t)""", y, want="z")
    yield form("softmax_over_rows", """
        c = Conv <kernel_shape = [3, 3], strides = [2, 2]> (x, conv_weight, conv_bias)
        s = Softmax <axis = 2> (c)
        p = GlobalMaxPool (s)
        logits = Flatten (p)""", "float[N, 4] logits")
    yield form("log_softmax_over_rows", """
        c = Conv <kernel_shape = [3, 3], strides = [2, 2]> (x, conv_weight, conv_bias)
        sharp = Mul (c, k)
        s = LogSoftmax <axis = 2> (sharp)
        p = GlobalAveragePool (s)
        logits = Flatten (p)""", "float[N, 4] logits", k=array(300))
    yield form("logits_and_softmax", LOGITS + "y = Softmax <axis = 1> (logits)", y + ", " + logits)
    yield form("four_dimensions", LOGITS + "s = Constant <value = int64[4] {0, 5, 1, 1}> ()\ny = Reshape (logits, s)",
               "float[N, 5, 1, 1] y")
    yield form("classes_last", LOGITS + "s = Constant <value = int64[4] {-1, 1, 1, 5}> ()\ny = Reshape (logits, s)",
               "float[N, 1, 1, 5] y")
    yield form("no_batch", LOGITS + "zero = Constant <value = int64[1] {0}> ()\ny = Squeeze (logits, zero)", "float[5] y",
               inputs="float[1, 3, 16, 16] x")

    # Several outputs.
    yield form("features_first", LOGITS, "float[N, 4] features, " + logits)
    yield form("features_first_without_names", LOGITS.replace("logits", "o2"), "float[N, 4] features, float[N, 5] o2",
               want="o2")
    yield form("two_heads", LOGITS + "aux_logits = Gemm <transB = 1> (features, fc_weight, fc_bias_2)",
               "float[N, 5] aux_logits, " + logits, fc_bias_2=None)
    yield form("arg_max", LOGITS + "label = ArgMax <axis = 1, keepdims = 0> (logits)", "int64[N] label, " + logits)
    yield form("top_k", LOGITS + """
        k = Constant <value = int64[1] {2}> ()
        values, indices = TopK <axis = 1> (logits, k)""", "float[N, 2] values, int64[N, 2] indices, " + logits)
    yield form("confidence", LOGITS + """
        probs = Softmax <axis = 1> (logits)
        best = ReduceMax <axes = [1], keepdims = 1> (probs)
        n = NonZero (probs)""", "float[N, 1] best, int64[2, M] n, float[N, 5] probs")
    yield form("feature_map", LOGITS + "a = Identity (r)", "float[N, 4, 7, 7] a, " + logits)

    # The input.
    yield form("uint8", "x = Cast <to = 1> (i)\n" + LOGITS, logits, inputs="uint8[N, 3, 16, 16] i")
    yield form("uint8_rows_first", """
        t = Transpose <perm = [0, 3, 1, 2]> (i)
        w = Cast <to = 6> (t)
        f = Cast <to = 1> (w)
        x0 = Sub (f, mean)
        x = Div (x0, std)
    """ + LOGITS, logits, inputs="uint8[N, 16, 16, 3] i", mean=array(MEAN, (3, 1, 1)), std=array(STD, (3, 1, 1)))
    yield form("int32", "x = Cast <to = 1> (i)\n" + LOGITS, logits, inputs="int32[N, 3, 16, 16] i")
    yield form("bytes_as_floats", "x0 = Div (i, k)\nx = Sub (x0, half)\n" + LOGITS, logits,
               inputs="float[N, 3, 16, 16] i", k=array(255), half=array(0.5))
    yield form("bytes_with_means", "x0 = Sub (i, mean)\nx = Div (x0, std)\n" + LOGITS, logits,
               inputs="float[N, 3, 16, 16] i", mean=array(MEAN, (3, 1, 1)), std=array(STD, (3, 1, 1)))
    yield form("unit_with_means", "x0 = Sub (i, mean)\nx = Div (x0, std)\n" + LOGITS, logits, inputs="float[N, 3, 16, 16] i",
               mean=array(MEAN, (3, 1, 1)) / 255, std=array(STD, (3, 1, 1)) / 255)
    yield form("float16", "x = Cast <to = 1> (i)\n" + LOGITS, logits, inputs="float16[N, 3, 16, 16] i")
    yield form("channels_last_of_any_size", "x = Transpose <perm = [0, 3, 1, 2]> (i)\n" + LOGITS, logits,
               inputs="float[N, H, W, C] i")

    # Tables that depend on the batch size only.
    table = """
        shape = Shape (x)
        zero = Constant <value = int64[1] {0}> ()
        one = Constant <value = int64[1] {1}> ()
        n = Slice (shape, zero, one, zero)
    """
    yield form("table_as_truth", table + """
        sixteen = Constant <value = int64[2] {16, 16}> ()
        dims = Concat <axis = 0> (n, sixteen)
        empty = ConstantOfShape (dims)
        truth = Cast <to = 9> (empty)
        whole = Not (truth)
        counted = Cast <to = 1> (whole)
        two = Constant <value = int64 {2}> ()
        row = CumSum (counted, two)
        rows = Sin (row)
        at = Constant <value = int64[1] {1}> ()
        more = Unsqueeze (rows, at)
        i = Add (x, more)
    """ + LOGITS.replace("(x,", "(i,"), logits)
    yield form("table_expanded", table + """
        dims = Concat <axis = 0> (n, one, one, sixteen)
        wide = Expand (row, dims)
        whole = Cast <to = 7> (wide)
        three = Constant <value = int64 {3}> ()
        times = Mul (whole, three)
        back = Cast <to = 1> (times)
        i = Add (x, back)
    """.replace("(row,", "(ramp,") + LOGITS.replace("(x,", "(i,"), logits, sixteen=np.array([16]),
               ramp=array(np.arange(16) * 0.4, (1, 1, 1, 16)))

    # Attention of newer versions of the operators. The tokens are 7 × 7 positions of 4 channels.
    tokens = """
        c = Conv <kernel_shape = [3, 3], strides = [2, 2]> (x, conv_weight, conv_bias)
        flat_shape = Constant <value = int64[3] {0, 4, 49}> ()
        f = Reshape (c, flat_shape)
        t = Transpose <perm = [0, 2, 1]> (f)
    """
    end = """
        a = ReduceMean <keepdims = 0> (o, axis)
        logits = Gemm <transB = 1> (a, fc_weight, fc_bias)
    """
    new = dict(opset=23, axis=np.array([1]))
    yield form("attention", tokens + "o = Attention <q_num_heads = 2, kv_num_heads = 2> (t, t, t)" + end, logits, **new)
    yield form("attention_masked", tokens + """
        o = Attention <q_num_heads = 2, kv_num_heads = 2, scale = 0.3> (t, t, t, mask)""" + end, logits,
               mask=array(np.sin(np.arange(49 * 49)), (49, 49)), **new)
    yield form("attention_of_truth", tokens + """
        o = Attention <q_num_heads = 2, kv_num_heads = 2> (t, t, t, mask)""" + end, logits,
               mask=np.sin(np.arange(49 * 49)).reshape(49, 49) > -0.5, **new)
    yield form("attention_causal", tokens + """
        o = Attention <q_num_heads = 2, kv_num_heads = 2, is_causal = 1, softcap = 2.0> (t, t, t)""" + end, logits, **new)
    yield form("attention_four_dimensions", tokens + """
        s = Constant <value = int64[4] {0, 0, 2, 2}> ()
        h0 = Reshape (t, s)
        h = Transpose <perm = [0, 2, 1, 3]> (h0)
        first = Constant <value = int64[1] {0}> ()
        second = Constant <value = int64[1] {1}> ()
        one_head = Slice (h, first, second, second)
        o0 = Attention (h, one_head, one_head)
        o1 = Transpose <perm = [0, 2, 1, 3]> (o0)
        s2 = Constant <value = int64[3] {0, 0, -1}> ()
        o = Reshape (o1, s2)
    """ + end, logits, **new)
    yield form("rms_normalization", tokens + "o = RMSNormalization <axis = -1, epsilon = 0.01> (t, scale)" + end, logits,
               scale=array([1, 2, 0.5, -1]), **new)
    angles = np.arange(49)[:, None] * np.array([[0.3, 0.01]])
    tables = dict(cos=array(np.cos(angles)), sin=array(np.sin(angles)))
    places = tokens + "two = Shape <end = 1> (t)\nlen = Shape <start = 1, end = 2> (t)\nd = Concat <axis = 0> (two, len)\n" \
        "ids = Expand (positions, d)\n"
    positions = dict(positions=np.arange(49)[None])
    yield form("rotary_embedding", places + "q = RotaryEmbedding <num_heads = 1> (t, cos, sin, ids)\n"
               "o = Attention <q_num_heads = 1, kv_num_heads = 1> (q, q, t)" + end, logits, **tables, **positions, **new)
    yield form("rotary_embedding_interleaved", places + "q = RotaryEmbedding <num_heads = 1, interleaved = 1> (t, cos, sin, ids)\n"
               "o = Attention <q_num_heads = 1, kv_num_heads = 1> (q, q, t)" + end, logits, **tables, **positions, **new)
    half = dict(cos=tables["cos"][:, :1].copy(), sin=tables["sin"][:, :1].copy())
    yield form("rotary_embedding_partial", places + "q = RotaryEmbedding <num_heads = 1, rotary_embedding_dim = 2> (t, cos, sin, ids)\n"
               "o = Attention <q_num_heads = 1, kv_num_heads = 1> (q, q, t)" + end, logits, **half, **positions, **new)


def model(inputs, nodes, outputs, opset, constants):
    text = f'<ir_version: 9, opset_import: ["": {opset}]> g ({inputs}) => ({outputs}) {{\n{nodes}\n}}'
    made = parser.parse_model(text)
    rng = np.random.default_rng(0)
    usual = {
        "conv_weight": array(rng.normal(size=(4, 3, 3, 3))),
        "conv_bias": array(rng.normal(size=4)),
        "fc_weight": array(rng.normal(size=(5, 4))),
        "fc_bias": array(rng.normal(size=5)),
        "fc_bias_2": array(rng.normal(size=5)),
    }
    usual["fc_square"] = usual["fc_weight"].reshape(5, 4, 1, 1)
    read = {name for node in made.graph.node for name in node.input}
    for name in sorted(read):
        values = constants.get(name)
        values = usual.get(name) if values is None else values
        if values is not None:
            made.graph.initializer.append(numpy_helper.from_array(values, name))
    onnx.checker.check_model(made)
    return made


def run(made, want, images):
    """Returns the value called `want` for images in the type and layout of the input."""
    made = onnx.ModelProto.FromString(made.SerializeToString())
    if want not in [output.name for output in made.graph.output]:
        made.graph.output.append(onnx.ValueInfoProto(name=want))
    info = made.graph.input[0]
    try:
        session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
        compute = lambda x: session.run([want], {info.name: x})[0]
    except Exception as error:
        print("   the reference instead of ONNX Runtime:", str(error).splitlines()[0][:90])
        compute = lambda x: dict(zip([o.name for o in made.graph.output], ReferenceEvaluator(made).run(None, {info.name: x})))[want]
    dims = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
    if dims[-1] == 3 or info.type.tensor_type.shape.dim[-1].dim_param == "C":
        images = images.transpose(0, 2, 3, 1)
    kind = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
    images = np.ascontiguousarray(images.astype(kind))
    if dims[0] == 1:
        return np.concatenate([np.atleast_2d(compute(image[None])) for image in images])
    return compute(images)


def main():
    tensors = {}
    pixels = np.random.default_rng(1).integers(0, 256, size=(2, 3, 16, 16))
    for name, inputs, nodes, outputs, want, opset, constants in networks():
        print(name)
        made = model(inputs, nodes, outputs, opset, constants)
        onnx.save(made, HERE / "forms" / f"{name}.onnx")
        unit = (pixels / 255).astype(np.float32)
        if "float16" in inputs:
            unit = unit.astype(np.float16).astype(np.float32)
        takes_bytes = "int" in inputs or name.startswith("bytes")
        y = run(made, want, pixels.astype(np.float32) if takes_bytes else unit)
        tensors[f"{name}.x" if "float16" in inputs else "x"] = unit
        tensors[f"{name}.y"] = y.astype(np.float32)
    save_file(tensors, HERE / "forms.safetensors")


if __name__ == "__main__":
    main()
