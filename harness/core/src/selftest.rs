//! Which checks prove which defect.
