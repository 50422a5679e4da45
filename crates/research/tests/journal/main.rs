//! A journal becomes the same rows as the recordings it was fed with; what it misses is said.

mod heard;
mod made;
mod rows;
