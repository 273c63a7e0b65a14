// The hunt's questions. A search starts when the query is sent or the range changes; a newer one cancels the older.
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { client, must } from "../../api/client";
import { splitStages } from "../../api/query";
import { bounds, type HuntState } from "./state";

const PAGE = 100;
const BARS = 90;
export const FACETS = ["event.dataset", "observer.name", "organization.name", "source.ip", "destination.ip", "destination.port", "dns.question.registered_domain", "url.domain", "http.response.status_code"] as const;

/** `sent` changes with every wish to search, so that "last hour" means now. */
export function useSearch(state: HuntState, sent: number) {
  const { query, range, from, to } = state;
  const staged = splitStages(query).stages !== "";
  return useInfiniteQuery({
    queryKey: ["search", query, range, from, to, sent],
    queryFn: ({ pageParam, signal }) => {
      const first = pageParam === undefined;
      const extras = first && !staged ? { facets: [...FACETS], timeline_bars: BARS } : {};
      return must(client.POST("/api/v1/search", { body: { query, ...bounds(state, sent), limit: PAGE, cursor: pageParam, ...extras }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    retry: false,
  });
}
