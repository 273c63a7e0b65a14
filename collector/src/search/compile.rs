//! A [`Query`](super::query::Query)'s filter into the index's own query, for one partition: what the partition does not
//! have matches nothing.

use std::net::IpAddr;
use std::ops::Bound;
use std::sync::Arc;

use ipnet::IpNet;
use luytre_events::Kind;
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, ConstScoreQuery, EmptyQuery, ExistsQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery,
    TermSetQuery,
};
use tantivy::schema::Field;

use super::columns::Group;
use super::limits::{Limits, PatternQuery};
use super::query::{FieldRef, Node, Test};
use crate::index::mapping::{Column, Mapping, ip_term};
use crate::index::partition::PRESENCE;
use crate::index::words;

/// The filter and the time range as the partition's query.
pub fn compile(
    filter: &Node,
    range_ns: (i64, i64),
    mapping: &Mapping,
    limits: &Arc<Limits>,
) -> tantivy::Result<Box<dyn Query>> {
    let filter = Compiler { mapping, limits }.node(filter)?;
    let bound = |at: i64| Term::from_field_i64(mapping.time, at);
    let lower = if range_ns.0 == i64::MIN { Bound::Unbounded } else { Bound::Included(bound(range_ns.0)) };
    let upper = if range_ns.1 == i64::MAX { Bound::Unbounded } else { Bound::Excluded(bound(range_ns.1)) };
    if matches!((&lower, &upper), (Bound::Unbounded, Bound::Unbounded)) {
        return Ok(filter);
    }
    let time: Box<dyn Query> = Box::new(RangeQuery::new(lower, upper));
    Ok(Box::new(BooleanQuery::new(vec![(Occur::Must, filter), (Occur::Must, time)])))
}

/// What nodes are compiled for.
struct Compiler<'a> {
    mapping: &'a Mapping,
    limits: &'a Arc<Limits>,
}

impl Compiler<'_> {
    fn node(&self, node_: &Node) -> tantivy::Result<Box<dyn Query>> {
        Ok(match node_ {
            Node::All => Box::new(AllQuery),
            Node::And(nodes) => {
                let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(AllQuery))];
                for inner in nodes {
                    clauses.push(match inner {
                        Node::Not(inner) => (Occur::MustNot, self.node(inner)?),
                        inner => (Occur::Must, self.node(inner)?),
                    });
                }
                if clauses.iter().filter(|(occur, _)| *occur == Occur::Must).count() > 1 {
                    clauses.remove(0);
                }
                Box::new(BooleanQuery::new(clauses))
            }
            Node::Or(nodes) => any(nodes.iter().map(|inner| self.node(inner)).collect::<tantivy::Result<_>>()?),
            Node::Not(inner) => Box::new(BooleanQuery::new(vec![
                (Occur::Must, Box::new(AllQuery)),
                (Occur::MustNot, self.node(inner)?),
            ])),
            Node::Field(field, test) => self.field_test(field, test)?,
            Node::In(field, values) => self.one_of(field, values),
            Node::Words(words) => phrase(self.mapping.words, words),
            Node::WordPattern(pattern) => self.matching(pattern.to_regex(), self.mapping.words)?,
            Node::Address(network) => {
                any(self.mapping.addresses().map(|column| in_network(column.field, *network)).collect())
            }
        })
    }

    fn field_test(&self, field: &FieldRef, test: &Test) -> tantivy::Result<Box<dyn Query>> {
        if let Test::Id(id) = test {
            let Some(observer) = self.mapping.column("observer.name") else { return Ok(Box::new(EmptyQuery)) };
            return Ok(Box::new(BooleanQuery::intersection(vec![
                term(Term::from_field_u64(self.mapping.sequence, id.sequence)),
                term(Term::from_field_text(observer.field, &words::keyword(&id.sensor))),
            ])));
        }
        if field.name == "@timestamp"
            && let Test::Time(from, to) = test
        {
            return Ok(times(self.mapping.time, *from, *to));
        }
        let column = self.mapping.column(&field.name);
        if *test == Test::Exists && !column.is_some_and(|c| c.fast) {
            return Ok(term(Term::from_field_text(self.mapping.present, &words::keyword(&field.name))));
        }
        // A partition of another release may lack the field, or have it with another type.
        match column.filter(|column| column.kind == field.kind) {
            Some(column) => self.column_test(&field.name, column, test),
            None => Ok(Box::new(EmptyQuery)),
        }
    }

    fn column_test(&self, name: &str, column: Column, test: &Test) -> tantivy::Result<Box<dyn Query>> {
        let field = column.field;
        Ok(match test {
            Test::Exists => Box::new(ExistsQuery::new(name.to_owned(), false)),
            Test::Keyword(text) => term(Term::from_field_text(field, text)),
            Test::Pattern(pattern) => self.matching(pattern.to_regex(), field)?,
            Test::Regex(expression) => self.matching(expression.clone(), field)?,
            Test::Words(words) => phrase(field, words),
            Test::Network(network) => in_network(field, *network),
            Test::Addresses(from, to) => {
                let bound = |ip: &IpAddr| Term::from_field_ip_addr(field, ip_term(*ip));
                range(from.as_ref().map(bound), to.as_ref().map(bound))
            }
            Test::Long(Bound::Included(a), Bound::Included(b)) if a == b => term(Term::from_field_u64(field, *a)),
            Test::Long(from, to) => {
                let bound = |n: &u64| Term::from_field_u64(field, *n);
                range(from.as_ref().map(bound), to.as_ref().map(bound))
            }
            Test::Float(from, to) => {
                let bound = |n: &f64| Term::from_field_f64(field, *n);
                range(from.as_ref().map(bound), to.as_ref().map(bound))
            }
            Test::Time(from, to) => times(field, *from, *to),
            Test::Boolean(yes) => term(Term::from_field_bool(field, *yes)),
            // Handled before the column was looked up.
            Test::Id(_) => Box::new(EmptyQuery),
        })
    }

    /// Events whose field has one of some values.
    fn one_of(&self, field: &FieldRef, values: &[Group]) -> Box<dyn Query> {
        let Some(column) = self.mapping.column(&field.name).filter(|column| column.kind == field.kind) else {
            return Box::new(EmptyQuery);
        };
        let term = |value: &Group| match (column.kind, value) {
            (Kind::Keyword, Group::Text(text)) => Some(Term::from_field_text(column.field, &words::keyword(text))),
            (Kind::Ip, Group::Text(text)) => Some(Term::from_field_ip_addr(column.field, ip_term(text.parse().ok()?))),
            (Kind::Long, Group::Number(number)) => Some(Term::from_field_u64(column.field, *number)),
            _ => None,
        };
        Box::new(TermSetQuery::new(values.iter().filter_map(term)))
    }

    fn matching(&self, expression: String, field: Field) -> tantivy::Result<Box<dyn Query>> {
        Ok(match PatternQuery::new(expression, field, self.limits)? {
            Some(query) => Box::new(ConstScoreQuery::new(Box::new(query), 1.0)),
            None => Box::new(EmptyQuery),
        })
    }
}

fn any(queries: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    if queries.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::union(queries)) }
}

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, PRESENCE))
}

fn times(field: Field, from: Bound<i64>, to: Bound<i64>) -> Box<dyn Query> {
    let bound = |at: i64| Term::from_field_i64(field, at);
    range(from.map(bound), to.map(bound))
}

fn range(from: Bound<Term>, to: Bound<Term>) -> Box<dyn Query> {
    Box::new(RangeQuery::new(from, to))
}

fn in_network(field: Field, network: IpNet) -> Box<dyn Query> {
    let bound = |ip: IpAddr| Term::from_field_ip_addr(field, ip_term(ip));
    if network.network() == network.broadcast() {
        return term(bound(network.network()));
    }
    range(Bound::Included(bound(network.network())), Bound::Included(bound(network.broadcast())))
}

fn phrase(field: Field, words: &[String]) -> Box<dyn Query> {
    match words {
        [] => Box::new(EmptyQuery),
        [word] => term(Term::from_field_text(field, word)),
        words => Box::new(PhraseQuery::new(words.iter().map(|word| Term::from_field_text(field, word)).collect())),
    }
}
