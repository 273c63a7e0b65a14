// Writing queries: values quoted as the query language wants them, conditions added to what is there already.

/** A value as it stands in a query: bare when it is a plain word, quoted otherwise. */
export function quote(value: string): string {
  if (/^[A-Za-z0-9_.@/-]+$/.test(value) && !/^(AND|OR|NOT|TO)$/i.test(value)) return value;
  return `"${value.replace(/[\\"]/g, "\\$&")}"`;
}

/** `field:value`. */
export function term(field: string, value: string): string {
  return `${field}:${quote(value)}`;
}

/** The condition part of a query and its stages (from the first `|` outside quotes on). */
export function splitStages(query: string): { filter: string; stages: string } {
  let quoted = false;
  for (let at = 0; at < query.length; at += 1) {
    const letter = query[at];
    if (letter === "\\" && quoted) at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === "|" && !quoted) return { filter: query.slice(0, at).trim(), stages: query.slice(at).trim() };
  }
  return { filter: query.trim(), stages: "" };
}

/** The query narrowed by a condition; stages stay at the end, a condition that is there already is not repeated. */
export function narrow(query: string, condition: string): string {
  const { filter, stages } = splitStages(query);
  if (filter.split(/ AND /).includes(condition)) return query;
  const grouped = /\sOR\s/.test(filter) && !/^\(.*\)$/.test(filter) ? `(${filter})` : filter;
  const joined = grouped === "" ? condition : `${grouped} AND ${condition}`;
  return stages === "" ? joined : `${joined} ${stages}`;
}
