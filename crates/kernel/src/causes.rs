use std::error::Error;

/// An error and what caused it. What one says of the next as well is said once.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        let text = cause.to_string();
        if !told.contains(&text) {
            told.push_str(": ");
            told.push_str(&text);
        }
        link = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        #[source]
        cause: Option<Box<Link>>,
    }

    #[test]
    fn what_a_cause_repeats_is_said_once() {
        let link = |text, cause| Link { text, cause };
        let inner = link("connection refused", None);
        let middle = link("i/o: connection refused", Some(Box::new(inner)));
        let outer = link("the database cannot be reached", Some(Box::new(middle)));
        let told = "the database cannot be reached: i/o: connection refused";
        assert_eq!(with_causes(&outer), told);
    }
}
