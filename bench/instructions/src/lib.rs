//! Instruction counts and allocation counts of the core, per operation, without any input or output.
//!
//! A scenario runs under `valgrind --tool=callgrind` with a number of rounds that is only warm-up, and once more
//! with further rounds. The difference of both counts, divided by the operations of the further rounds, is the
//! cost of one operation: what start, growth of tables and end cost is in both and falls out. Callgrind counts
//! only inside [`probe`]'s one function, so preparing messages and answers costs nothing either. The allocations
//! come out of the same runs.
//!
//! Why not a library made for it: gungraun (formerly iai-callgrind) counts one call of a function, first uses and
//! growth included, keeps its baselines in the build directory, knows nothing of our allocation counts, and needs
//! a runner of exactly its own version installed on the machine. The difference of two runs is exact per
//! operation, needs valgrind and nothing else, and leaves one small table to commit.
//!
//! What would make counts differ between machines is pinned by the gate and by `run` beside it:
//! * the toolchain is the oldest supported one, the target CPU plain `x86-64`, flags from outside are dropped;
//! * the environment holds nothing else than `GLIBC_TUNABLES` and paths are relative, because the stack begins behind
//!   them;
//! * glibc chooses `memcpy`, `memcmp` and others by the processor. Valgrind shows every program the same one, less
//!   what the real one lacks; so any x86-64 machine with AVX2 gives the same counts, and the gate refuses others. The
//!   core itself asks for no processor features.
//!
//! glibc and valgrind themselves remain: the baseline names their versions.

pub mod answers;
pub mod probe;
pub mod rig;
pub mod scenarios;
mod tape;
