"""Writes python-written.safetensors with the reference implementation: pip install safetensors==0.8.0 numpy==2.4.6."""
import pathlib

import numpy as np
from safetensors import TensorSpec, serialize

arrays = {
    "half.α": ("float16", np.array([0, -0.0, 1, -2.5, 65504, 2.0**-24, 2.0**-14, np.inf], np.float16)),
    "single": ("float32", np.array([[1.5, -0.25, 3e38], [1e-45, 0.1, -7]], np.float32)),
    # 1, -2.5, 3.3895314e38, 9.1835e-41
    "brain": ("bfloat16", np.array([0x3F80, 0xC020, 0x7F7F, 0x0001], np.uint16)),
    "long": ("int64", np.array([1, -1, 2147483647], np.int64)),
    "scalar": ("int32", np.array(-5, np.int32)),
    "empty": ("float32", np.zeros((0, 4), np.float32)),
}
specs = {
    name: TensorSpec(dtype=dtype, shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes)
    for name, (dtype, a) in arrays.items()
}
content = serialize(specs, metadata={"format": "pt", "note": 'a "quoted"\nline'})
pathlib.Path(__file__).with_name("python-written.safetensors").write_bytes(bytes(content))
