//! Which continent a country is taken to be in, as geo databases say. Must not know anything else.

/// Continents with their countries, by code.
#[rustfmt::skip]
pub(super) const CONTINENTS: &[(&str, &str)] = &[
    ("AF", "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW IO KE KM LR LS LY MA MG ML MR MU MW MZ \
            NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW"),
    ("AN", "AQ BV GS HM TF"),
    ("AS", "AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM \
            PH PK PS QA SA SG SY TH TJ TL TM TR TW UZ VN YE"),
    ("EU", "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME \
            MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK"),
    ("NA", "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC \
            TT US VC VG VI"),
    ("OC", "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV UM VU WF WS"),
    ("SA", "AR BO BR CL CO EC FK GF GY PE PY SR UY VE"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::geo::is_country;

    #[test]
    fn every_country_is_in_one_continent() {
        let mut listed: Vec<&str> = CONTINENTS.iter().flat_map(|(_, countries)| countries.split_whitespace()).collect();
        listed.sort_unstable();
        let letters = || b'A'..=b'Z';
        let all = letters().flat_map(|a| letters().map(move |b| [a, b])).filter(|code| is_country(*code));
        let all: Vec<String> = all.map(|code| code.map(char::from).iter().collect()).collect();
        assert_eq!(listed, all);
    }
}
