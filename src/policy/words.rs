//! Wording that several messages share.

/// `` unknown clock `resolutin`; did you mean `resolution`? Known: … ``
pub(crate) fn unknown(what: &str, asked: &str, known: &[&str]) -> String {
    let near = nearest(asked, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    let list =
        if known.is_empty() { format!("there is no {what}") } else { format!("known: {}", list(known)) };
    let joint = if near.is_empty() { "; " } else { " " };
    format!("unknown {what} `{}`{near}{joint}{list}", shown(asked))
}

/// The known word that `asked` was most likely meant to be.
pub(crate) fn nearest<'a>(asked: &str, known: &[&'a str]) -> Option<&'a str> {
    // Longer texts are no misspelt names, and the comparison is quadratic.
    if asked.len() > 64 {
        return None;
    }
    let distance = |name: &str| strsim::osa_distance(asked, name);
    let best = known.iter().copied().min_by_key(|name| distance(name))?;
    let allowed = asked.chars().count().min(best.chars().count()).div_ceil(3);
    (distance(best) <= allowed).then_some(best)
}

/// `` `a`, `b`, `c` ``, with at most sixteen words.
pub(crate) fn list(words: &[&str]) -> String {
    let shown: Vec<String> = words.iter().take(16).map(|word| format!("`{word}`")).collect();
    let more = words.len().saturating_sub(16);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// `text`, cut so that it fits a message.
pub(crate) fn shown(text: &str) -> String {
    let mut cut: String = text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(80).is_some() {
        cut.push('…');
    }
    cut
}
