import Testing

/// Tests that run the program like a user, in separate processes. They run serially: each may start several ranks, and the time
/// limits assume that a test has the machine for itself.
@Suite(.serialized) enum ProgramTests {}
