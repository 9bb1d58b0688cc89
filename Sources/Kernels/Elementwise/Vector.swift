// Kernels accumulate in sixteen floats. The width fixes the order of summation and so the result's bits; it is therefore the
// same on every processor.

extension UnsafePointer where Pointee == Float {
    /// Sixteen elements from `index`, at any alignment.
    @inlinable @inline(__always)
    func lanes(_ index: Int) -> SIMD16<Float> {
        unsafe UnsafeRawPointer(self + index).loadUnaligned(as: SIMD16<Float>.self)
    }

    /// `count < 16` elements from `index`, the other lanes filled.
    @inlinable @inline(__always)
    func lanes(_ index: Int, count: Int, fill: Float) -> SIMD16<Float> {
        var lanes = SIMD16<Float>(repeating: fill)
        for i in 0..<count {
            lanes[i] = unsafe self[index + i]
        }
        return lanes
    }
}

extension UnsafeMutablePointer where Pointee == Float {
    /// Sixteen elements from `index`, at any alignment.
    @inlinable @inline(__always)
    func lanes(_ index: Int) -> SIMD16<Float> {
        unsafe UnsafeRawPointer(self + index).loadUnaligned(as: SIMD16<Float>.self)
    }

    /// `count < 16` elements from `index`, the other lanes filled.
    @inlinable @inline(__always)
    func lanes(_ index: Int, count: Int, fill: Float) -> SIMD16<Float> {
        unsafe UnsafePointer(self).lanes(index, count: count, fill: fill)
    }

    /// Overwrites sixteen elements from `index`.
    @inlinable @inline(__always)
    func store(_ lanes: SIMD16<Float>, _ index: Int) {
        unsafe UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: SIMD16<Float>.self)
    }

    /// Overwrites `count < 16` elements from `index`.
    @inlinable @inline(__always)
    func store(_ lanes: SIMD16<Float>, _ index: Int, count: Int) {
        for i in 0..<count {
            unsafe self[index + i] = lanes[i]
        }
    }
}

// Eight lanes, for random bits and masks, which come in eights. When the compiler knows that `count` is 8, only the load or
// store of the whole vector remains.

extension UnsafePointer where Pointee == Float {
    /// `count <= 8` elements from `index`, the other lanes 0.
    @inline(__always)
    func eight(_ index: Int, _ count: Int) -> SIMD8<Float> {
        if count == 8 { return unsafe UnsafeRawPointer(self + index).loadUnaligned(as: SIMD8<Float>.self) }
        var lanes = SIMD8<Float>.zero
        for i in 0..<count {
            lanes[i] = unsafe self[index + i]
        }
        return lanes
    }
}

extension UnsafeMutablePointer where Pointee == Float {
    /// Overwrites `count <= 8` elements from `index`.
    @inline(__always)
    func store(_ lanes: SIMD8<Float>, _ index: Int, _ count: Int) {
        if count == 8 {
            unsafe UnsafeMutableRawPointer(self + index).storeBytes(of: lanes, as: SIMD8<Float>.self)
            return
        }
        for i in 0..<count {
            unsafe self[index + i] = lanes[i]
        }
    }
}

/// The dot product of two vectors, in sixteen partial sums and then the tail.
@inlinable
public func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sums = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= count {
        unsafe sums += a.lanes(i) * b.lanes(i)
        i += 16
    }
    var sum = sums.sum()
    while i < count {
        unsafe sum += a[i] * b[i]
        i += 1
    }
    return sum
}

/// `y += scale * x`: adds to `y`.
@inlinable
public func addScaled(_ x: UnsafePointer<Float>, _ scale: Float, to y: UnsafeMutablePointer<Float>, _ count: Int) {
    var i = 0
    while i + 16 <= count {
        unsafe y.store(y.lanes(i) + x.lanes(i) * scale, i)
        i += 16
    }
    while i < count {
        unsafe y[i] += x[i] * scale
        i += 1
    }
}
