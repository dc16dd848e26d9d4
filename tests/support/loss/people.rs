//! Why: people who do not exist, each recognisable: whoever finds one of them outside the case
//! store has found a leak.
//!
//! Refuses: chance. A person follows from the submission's id, so that whoever reads a case can say
//! who must be in it.

use anyhow::Context as _;
use catalog::identity_number::IdentityNumber;
use uuid::Uuid;

/// Every planted number begins with this: a region that never was, and a day of birth.
pub const NUMBER_BEGINS: &str = "93010019491001";
/// Every planted name begins with this.
pub const NAME_BEGINS: &str = "样本沉舟";
/// Every planted address begins with this.
pub const ADDRESS_BEGINS: &str = "样本省样本渡口";

/// What to search for: it stands in everything that is planted.
pub const PLANTED: [&str; 3] = [NUMBER_BEGINS, NAME_BEGINS, ADDRESS_BEGINS];

/// Characters that make names differ.
const GIVEN: [char; 16] = [
    '甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸', '子', '丑', '寅', '卯', '辰', '巳',
];

/// Who applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Citizen identity number.
    pub number: String,
    /// Where the person lives.
    pub address: String,
}

impl Person {
    /// The person of a submission.
    pub fn of(submission: Uuid) -> anyhow::Result<Self> {
        let bits = submission.as_u128();
        let body = format!("{NUMBER_BEGINS}{:03}", bits % 1000);
        let number = "0123456789X"
            .chars()
            .map(|check| format!("{body}{check}"))
            .find(|number| IdentityNumber::parse(number).is_ok())
            .context("no check character fits")?;
        let given: String = (0..6).map(|at| GIVEN[(bits >> (4 * at)) as usize % 16]).collect();
        let address = format!("{ADDRESS_BEGINS}{}号", bits % 9000 + 1);
        Ok(Self { name: format!("{NAME_BEGINS}{given}"), number, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_always_the_same_and_carries_what_is_searched_for() {
        for _ in 0..100 {
            let id = Uuid::now_v7();
            let person = Person::of(id).unwrap();
            assert_eq!(person, Person::of(id).unwrap());
            let all = format!("{} {} {}", person.number, person.name, person.address);
            assert!(PLANTED.iter().all(|planted| all.contains(planted)));
        }
    }
}
