import Testing

/// Tests that run the program as a user does, as processes of their own. One after the other: each may start several
/// ranks, and the limits on time suppose that they have the machine.
@Suite(.serialized) enum ProgramTests {}
