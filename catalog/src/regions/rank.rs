//! Why: how precise an answer is, is a matter of what a place is to the administration, and that is
//! told by the form of its code. The number of steps to it is not the same: the districts of 北京市
//! lie one step below their province, and so do the prefectures of 四川省.

use super::rows::is_digits;

/// What a place is to the administration, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Province, autonomous region, municipality.
    Province,
    /// Prefecture-level city, prefecture, league.
    Prefecture,
    /// County, district, county-level city, banner.
    County,
    /// Township, town, subdistrict: nine digits.
    Township,
}

impl Rank {
    /// The rank that the form of a code tells; `None` when it has neither six nor nine digits.
    pub fn of(code: &str) -> Option<Rank> {
        if is_digits(code, 9) {
            Some(Rank::Township)
        } else if !is_digits(code, 6) {
            None
        } else if code.ends_with("0000") {
            Some(Rank::Province)
        } else if code.ends_with("00") {
            Some(Rank::Prefecture)
        } else {
            Some(Rank::County)
        }
    }

    /// The rank of a level as questions count them, 1 to 4.
    pub fn from_level(level: usize) -> Option<Rank> {
        [Rank::Province, Rank::Prefecture, Rank::County, Rank::Township]
            .into_iter()
            .find(|rank| rank.level() == level)
    }

    /// 1 for a province to 4 for a township.
    pub fn level(self) -> usize {
        match self {
            Rank::Province => 1,
            Rank::Prefecture => 2,
            Rank::County => 3,
            Rank::Township => 4,
        }
    }

    /// One step more precise; a township stays one.
    pub(super) fn below(self) -> Rank {
        match self {
            Rank::Province => Rank::Prefecture,
            Rank::Prefecture => Rank::County,
            Rank::County | Rank::Township => Rank::Township,
        }
    }
}

/// The ranks that a place answers for: its own, and those that the world leaves out above it. 仙桃市,
/// a county directly below its province, answers for the prefecture that it has not, too. A township
/// never answers for a county: whoever asks for counties wants six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The widest that it answers for.
    pub widest: Rank,
    /// What it is.
    pub own: Rank,
    /// The widest that anything directly below it answers for.
    pub next: Option<Rank>,
}

/// How a place fits a question for ranks from `least` to `most` precise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// As precise as asked.
    Fits,
    /// There is something below it that would be asked for.
    TooWide,
    /// More precise than asked.
    TooNarrow,
}

impl Standing {
    pub fn widest(own: Rank, parent: Option<Rank>) -> Rank {
        match parent {
            _ if own == Rank::Township => own,
            Some(parent) => parent.below().min(own),
            None => own,
        }
    }

    pub fn fit(self, least: Rank, most: Rank) -> Fit {
        if self.widest > most {
            Fit::TooNarrow
        } else if self.own < least && self.next.is_some_and(|next| next <= least) {
            Fit::TooWide
        } else {
            Fit::Fits
        }
    }
}
