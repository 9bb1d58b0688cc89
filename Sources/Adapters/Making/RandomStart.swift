import Randomness

/// Overwrites the values with uniform numbers from -bound to bound.
func fillUniform(_ values: UnsafeMutableBufferPointer<Float>, bound: Double, _ stream: inout RandomStream) {
    for i in values.indices {
        unsafe values[i] = Float((2 * stream.uniform() - 1) * bound)
    }
}

/// Overwrites the values with normal numbers around 0.
func fillNormal(_ values: UnsafeMutableBufferPointer<Float>, deviation: Double, _ stream: inout RandomStream) {
    for i in values.indices {
        unsafe values[i] = Float(stream.normal() * deviation)
    }
}
