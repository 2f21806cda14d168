//! Parts of answers, to the octet.

use super::*;
use crate::engine::wire::{
    fold,
    reply::{Addresses, Reply},
};

/// The reply to `question` (which stands at the packet's offset 12) of one DNAME, applied `times`.
fn redirected(question: &[u8], keep: u8, target: &[u8], times: usize, limit: usize) -> Vec<u8> {
    let dname = Fragment::new(RrType::DNAME, Ttl(60), &[target]);
    let query =
        Query { name_len: question.len() as u8, qtype: 1, qclass: 1, hash: fold::hash(question), ..Query::default() };
    let mut reply = Reply::bare(Rcode::NoError);
    for _ in 0..times {
        reply.answers.push(Part::Redirect { dname: &dname, keep, fits: true });
    }
    let mut packet = vec![0; 2048];
    packet[HEADER..HEADER + question.len()].copy_from_slice(question);
    let Written { len, .. } = write(&reply, &query, limit, &mut packet);
    packet.truncate(len);
    packet
}

#[test]
fn a_dname_goes_out_with_its_cname_or_not_at_all() {
    let (question, target) = (b"\x01q\x01d\0", b"\x01e\0");
    let whole = redirected(question, 2, target, 1, 512);
    assert_eq!(whole[6..8], [0, 2]);
    for limit in 0..whole.len() - HEADER - 9 {
        let cut = redirected(question, 2, target, 1, HEADER + 9 + limit);
        assert_eq!((cut.len(), cut[2] & 2, &cut[6..8]), (HEADER + 9, 2, &[0, 0][..]), "nothing behind the question");
    }
}

#[test]
fn a_dname_that_is_applied_again_is_not_repeated() {
    // `d. DNAME e.d.`: each time one label more before the owner.
    let once = redirected(b"\x01q\x01d\0", 2, b"\x01e\x01d\0", 1, 512);
    let twice = redirected(b"\x01q\x01d\0", 2, b"\x01e\x01d\0", 2, 512);
    assert_eq!((&once[6..8], &twice[6..8]), (&[0, 2][..], &[0, 3][..]));
    assert_eq!(twice[..once.len()][12..], once[12..]);
}

/// The reply of one part to a question for `q.d.`, and its length when it is whole.
fn told(part: Part<'_>, fill: impl FnOnce(&mut Reply<'_>), limit: usize) -> Vec<u8> {
    hinting(part, PerFamily::new(List::Empty, List::Empty), fill, limit)
}

/// The same, with hints for an HTTPS record.
fn hinting(part: Part<'_>, hints: PerFamily<List<'_>>, fill: impl FnOnce(&mut Reply<'_>), limit: usize) -> Vec<u8> {
    let question = b"\x01q\x01d\0";
    let query = Query { name_len: 5, qtype: 1, qclass: 1, hash: fold::hash(question), ..Query::default() };
    let mut reply = Reply::bare(Rcode::NoError);
    fill(&mut reply);
    reply.hints = hints;
    reply.answers.push(part);
    let mut packet = vec![0; 70_000];
    packet[HEADER..HEADER + 5].copy_from_slice(question);
    let Written { len, .. } = write(&reply, &query, limit, &mut packet);
    packet.truncate(len);
    packet
}

const QUESTION_END: usize = HEADER + 9;

#[test]
fn an_https_record_has_its_parameters_in_order_of_keys() {
    let table = [0u8, 1, 2].map(|n| Addresses {
        v4: (n < 2).then(|| [192, 0, 2, n].into()),
        v6: (n > 0).then(|| [0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(n)].into()),
    });
    let head = https_head(&["h2".into()], Some(8443));
    let told = |hints: PerFamily<List<'_>>, limit| {
        let fill = |reply: &mut Reply<'_>| {
            reply.chosen = PerFamily::new([1, 0].into_iter().collect(), [1, 2].into_iter().collect());
        };
        hinting(Part::Https { ttl: Ttl(7), head: &head }, hints, fill, limit)
    };
    let both = PerFamily::new(List::Chosen(&table), List::Chosen(&table));
    let six = |n: u8| [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[n]].concat();
    let data = [
        &b"\0\x01\0"[..],
        b"\0\x01\0\x03\x02h2\0\x03\0\x02\x20\xfb",
        b"\0\x04\0\x08\xc0\0\x02\x01\xc0\0\x02\0",
        b"\0\x06\0\x20",
        &six(1),
        &six(2),
    ]
    .concat();
    let record = [&b"\xc0\x0c\0\x41\0\x01\0\0\0\x07\0"[..], &[data.len() as u8], &data].concat();
    let whole = told(both, 512);
    assert_eq!(whole[QUESTION_END..], record);
    // One octet less, and there is no record.
    let cut = told(both, whole.len() - 1);
    assert_eq!((cut.len(), cut[2] & 2, &cut[6..8]), (QUESTION_END, 2, &[0, 0][..]));
    // What holds no address of the family leaves the parameter out.
    let one = [[192, 0, 2, 9].into()];
    let none = told(PerFamily::new(List::Empty, List::Listed(&one)), 512);
    assert_eq!(none[QUESTION_END + RECORD..], [&b"\0\x01\0"[..], &head].concat());
    let list = [[192, 0, 2, 9].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9].into()];
    let listed = told(PerFamily::new(List::Listed(&list), List::Empty), 512);
    assert_eq!(listed[QUESTION_END + RECORD + 3 + head.len()..], *b"\0\x04\0\x04\xc0\0\x02\x09");
}

#[test]
fn what_is_told_of_the_client_has_ttl_0() {
    let own = told(Part::Own([192, 0, 2, 1].into()), |_| {}, 512);
    assert_eq!(own[QUESTION_END..], *b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\xc0\0\x02\x01");
    let own = told(Part::Own([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()), |_| {}, 512);
    assert_eq!(own[QUESTION_END..QUESTION_END + RECORD], *b"\xc0\x0c\0\x1c\0\x01\0\0\0\0\0\x10");
    let text = |limit| told(Part::Text, |reply| reply.text.extend(*b"\x02ab\x01c"), limit);
    assert_eq!(text(512)[QUESTION_END..], *b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0\x05\x02ab\x01c");
    let cut = text(QUESTION_END + RECORD + 4);
    assert_eq!((cut.len(), cut[2] & 2), (QUESTION_END, 2));
}

#[test]
fn an_alias_with_a_ttl_of_its_own_leads_on_like_any_other() {
    let target = b"\x01t\x01d\0";
    let cname = Fragment::new(RrType::CNAME, Ttl(0), &[target]);
    let list = [[192, 0, 2, 9].into()];
    let question = b"\x01q\x01d\0";
    let query = Query { name_len: 5, qtype: 1, qclass: 1, hash: fold::hash(question), ..Query::default() };
    let mut reply = Reply::bare(Rcode::NoError);
    reply.answers.push(Part::Alias(&cname, Some(Ttl(30))));
    reply.answers.push(Part::Addresses { family: Family::V4, ttl: Ttl(5), list: List::Listed(&list) });
    let mut packet = vec![0; 512];
    packet[HEADER..HEADER + 5].copy_from_slice(question);
    let Written { len, .. } = write(&reply, &query, 512, &mut packet);
    let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x05\x01t\x01d\0";
    let address = [&[0xc0, (QUESTION_END + RECORD) as u8][..], b"\0\x01\0\x01\0\0\0\x05\0\x04\xc0\0\x02\x09"].concat();
    assert_eq!(packet[QUESTION_END..len], [&alias[..], &address].concat());
}

#[test]
fn parameters_that_are_left_out_take_no_octets() {
    assert_eq!(*https_head(&[], None), *b"");
    assert_eq!(*https_head(&[], Some(8443)), [0, 3, 0, 2, 0x20, 0xfb]);
    assert_eq!(*https_head(&["h3".into()], None), *b"\0\x01\0\x03\x02h3");
    assert_eq!(*https_head(&["h2".into(), "h3".into()], Some(1)), *b"\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\0\x01");
}
