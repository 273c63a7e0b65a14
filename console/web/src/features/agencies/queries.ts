// What the pages of agencies ask and change.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, failedWith, must } from "../../api/client";
import { term } from "../../api/query";
import type { AgencyFields, AgencyRecord, RecordContent, RecordKind, RegisterTable } from "../../api/types";
import { notify, notifyFailure } from "../../ui/notify";

const LIMIT = 50;
const WEEK_MS = 7 * 86_400_000;

export function useRegister() {
  return useQuery({ queryKey: ["register"], queryFn: () => must(client.GET("/api/v1/register")), staleTime: Infinity });
}

export function useAgency(id: string) {
  return useQuery({ queryKey: ["agencies", id], queryFn: () => must(client.GET("/api/v1/agencies/{id}", { params: { path: { id } } })), placeholderData: (old) => (old?.agency.id === id ? old : undefined) });
}

export function useRecords(agency: string, kind: RecordKind, text: string) {
  return useInfiniteQuery({
    queryKey: ["agencies", agency, kind, text],
    queryFn: ({ pageParam, signal }) => must(client.GET("/api/v1/agency-records", { params: { query: { agency, kind, text: text || undefined, limit: LIMIT, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** Which sensors saw an agency's traffic lately, and how many events of it. */
export function useSeenBy(id: string) {
  return useQuery({
    queryKey: ["seen-by", id],
    queryFn: async () => {
      const from = new Date(Date.now() - WEEK_MS).toISOString();
      const answer = await must(client.POST("/api/v1/search", { body: { query: term("organization.id", id), from, limit: 1, facets: ["observer.name"] } }));
      return answer.facets[0]?.values ?? [];
    },
    staleTime: 60_000,
    retry: false,
  });
}

/** A change that loads the register anew and says what came of it. */
function useChange<Wish>(change: (wish: Wish) => Promise<unknown>, said: "saved" | "removed" | "verified", done?: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => {
      notify(t(`agencies.${said}`));
      void queries.invalidateQueries({ queryKey: ["agencies"] });
      done?.();
    },
    onError: (error) => notifyFailure(t("ui.not_done"), failedWith(error, 409) && error.body.code === "conflict" ? t("agencies.conflict") : error.message || t("ui.unreachable")),
  });
}

export function useSaveAgency(done: () => void) {
  return useChange(
    ({ id, version, fields }: { id: string; version?: number; fields: AgencyFields }) =>
      version === undefined ? must(client.POST("/api/v1/agencies", { body: { id, fields } })) : must(client.PUT("/api/v1/agencies/{id}", { params: { path: { id } }, body: { version, fields } })),
    "saved",
    done,
  );
}

export function useSaveRecord(agency: string, old: AgencyRecord | null, done: () => void) {
  return useChange(
    (content: RecordContent) =>
      old === null
        ? must(client.POST("/api/v1/agencies/{id}/records", { params: { path: { id: agency } }, body: content }))
        : must(client.PUT("/api/v1/agencies/{id}/records/{record}", { params: { path: { id: agency, record: old.id } }, body: { version: old.version, content } })),
    "saved",
    done,
  );
}

export function useRemoveRecord(done: () => void) {
  return useChange(
    (record: AgencyRecord) => must(client.DELETE("/api/v1/agencies/{id}/records/{record}", { params: { path: { id: record.agency_id, record: record.id }, query: { version: record.version } } })),
    "removed",
    done,
  );
}

export function useVerify() {
  return useChange(
    (record: AgencyRecord) => must(client.POST("/api/v1/agencies/{id}/records/{record}/verify", { params: { path: { id: record.agency_id, record: record.id } }, body: { version: record.version } })),
    "verified",
  );
}

/** The preview of a file, or its carrying out when the preview's digest is given. */
export function bringIn(table: RegisterTable, file: File, apply?: string) {
  const format = file.name.toLowerCase().endsWith(".xlsx") ? "xlsx" : "csv";
  return must(
    client.POST("/api/v1/register/import/{table}", {
      params: { path: { table }, query: { format, apply } },
      // The document describes bytes as a list of numbers; a file is sent as it is.
      body: file as unknown as number[],
      bodySerializer: (body) => body as unknown as File,
      headers: { "content-type": "application/octet-stream" },
    }),
  );
}
