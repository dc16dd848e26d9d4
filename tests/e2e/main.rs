//! Whole visits by the real programs: the three shipped ones, and bad input wherever it can come in.

mod bad_input;
mod visits;
mod wrong_key;
