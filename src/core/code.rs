//! Exit codes: the contract's table, and which of several is the worst.

/// What a command's process exits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Done and verified.
    Done,
    /// Failed; standard error says why.
    Failed,
    /// Usage or configuration, or a name that nobody knows.
    Usage,
    /// `doctor` and `estop status`: the emergency stop is latched, or in progress.
    LatchStands,
    /// `doctor` and `estop status`: the emergency stop might not work.
    NotReady,
    /// Still working when the time was up, or we left while it goes on.
    StillWorking,
    /// An order is not confirmed canceled.
    OrderOpen,
    /// State was not flushed.
    NotFlushed,
    /// A process survived, or one that must be stopped may not be signalled.
    Survived,
    /// A configured source, cancel command or cluster could not be asked.
    NotAsked,
    /// The latch could not be written.
    NoLatch,
    /// The emergency stop is latched.
    Latched,
    /// Not permitted.
    NotPermitted,
}

impl Code {
    /// Every one of them.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::LatchStands,
        Self::NotReady,
        Self::StillWorking,
        Self::OrderOpen,
        Self::NotFlushed,
        Self::Survived,
        Self::NotAsked,
        Self::NoLatch,
        Self::Latched,
        Self::NotPermitted,
    ];

    /// The code of this number: that of a report that somebody else has made. One that we do not know is a failure.
    pub fn numbered(number: u8) -> Self {
        Self::ALL.into_iter().find(|code| code.number() == number).unwrap_or(Self::Failed)
    }

    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::LatchStands => 3,
            Self::NotReady => 5,
            Self::StillWorking => 10,
            Self::OrderOpen => 11,
            Self::NotFlushed => 12,
            Self::Survived => 13,
            Self::NotAsked => 14,
            Self::NoLatch => 15,
            Self::Latched => 75,
            Self::NotPermitted => 77,
        }
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done and verified; already in that state counts.",
            Self::Failed => "Failed; standard error says why.",
            Self::Usage => "Usage or configuration, or a name that nobody knows.",
            Self::LatchStands => "doctor, estop status: the emergency stop is latched, or in progress.",
            Self::NotReady => "doctor, estop status: the emergency stop is not ready.",
            Self::StillWorking => "Still working when the time was up, or we left while it goes on.",
            Self::OrderOpen => "An order is not confirmed canceled.",
            Self::NotFlushed => "State was not flushed.",
            Self::Survived => "A process survived, or one that must be stopped may not be signalled.",
            Self::NotAsked => "A configured order source, cancel command or cluster could not be asked.",
            Self::NoLatch => "The latch of the emergency stop could not be written.",
            Self::Latched => "Refused: the emergency stop is latched.",
            Self::NotPermitted => "Not permitted.",
        }
    }

    /// How bad it is beside the others: where several apply, the greatest wins.
    const fn weight(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::NotPermitted => 2,
            Self::StillWorking => 3,
            Self::NotFlushed => 4,
            Self::NotAsked => 5,
            Self::OrderOpen => 6,
            Self::Survived => 7,
            Self::NoLatch => 8,
            // What is only told of, and never one of several: that it could not be printed does not change it.
            Self::LatchStands => 9,
            Self::NotReady => 10,
            // These two come before any action.
            Self::Latched => 11,
            Self::Usage => 12,
        }
    }

    /// The worst of several; done if there are none.
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        codes.into_iter().max_by_key(|code| code.weight()).unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins_in_the_contracts_order() {
        let order = [
            Code::NoLatch,
            Code::Survived,
            Code::OrderOpen,
            Code::NotAsked,
            Code::NotFlushed,
            Code::StillWorking,
            Code::NotPermitted,
            Code::Failed,
            Code::Done,
        ];
        assert_eq!(order.map(Code::number), [15, 13, 11, 14, 12, 10, 77, 1, 0]);
        for (place, worse) in order.iter().enumerate() {
            for better in &order[place..] {
                assert_eq!(Code::worst([*better, *worse]), *worse);
            }
        }
        assert_eq!(Code::worst([]), Code::Done);
    }

    #[test]
    fn every_code_is_found_by_its_number() {
        for code in Code::ALL {
            assert_eq!(Code::numbered(code.number()), code);
        }
        assert_eq!(Code::numbered(99), Code::Failed);
    }
}
