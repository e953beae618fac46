//! What fields are when a text leaves them out, and whether they may be left out when it is written.

pub(super) fn yes() -> bool {
    true
}
pub(super) fn is_yes(value: &bool) -> bool {
    *value
}
pub(super) fn is_no(value: &bool) -> bool {
    !*value
}
pub(super) fn one() -> usize {
    1
}
pub(super) fn is_one(value: &usize) -> bool {
    *value == 1
}
pub(super) fn three() -> u32 {
    3
}
pub(super) fn is_three(value: &u32) -> bool {
    *value == 3
}
pub(super) fn five() -> u32 {
    5
}
pub(super) fn is_five(value: &u32) -> bool {
    *value == 5
}
pub(super) fn thirty_two() -> usize {
    32
}
pub(super) fn is_thirty_two(value: &usize) -> bool {
    *value == 32
}
pub(super) fn hash() -> String {
    "#".to_owned()
}
pub(super) fn is_hash(value: &str) -> bool {
    value == "#"
}
