// What the page of an agency asks and sends.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { sendInPieces } from "../../api/uploads";
import type { AgencyNotice } from "../../api/types";
import { notifyFailure } from "../../ui/notify";

const LIST = ["agency-work"];
const BACKGROUND = { "x-luytre-background": "1" };
const EVERY_MS = 30_000;

export function useWork() {
  return useQuery({ queryKey: LIST, queryFn: () => must(client.GET("/api/v1/agency-work", { headers: BACKGROUND })), refetchInterval: EVERY_MS, staleTime: 0 });
}

export function useNotice(id: string) {
  return useQuery({ queryKey: [...LIST, id], queryFn: () => must(client.GET("/api/v1/agency-work/{id}", { params: { path: { id } }, headers: BACKGROUND })), refetchInterval: EVERY_MS, staleTime: 0 });
}

/** Something that is said of a notice, and answers the notice as it is then. */
export function useSay<Input>(id: string, run: (input: Input) => Promise<AgencyNotice>, done: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: run,
    onSuccess: (notice) => {
      queries.setQueryData([...LIST, id], notice);
      void queries.invalidateQueries({ queryKey: LIST, exact: true });
      done();
    },
    onError: (error) => {
      void queries.invalidateQueries({ queryKey: LIST });
      notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
    },
  });
}

/** Uploads a file; one that was begun and not finished goes on where it was. */
export async function upload(notice: AgencyNotice, content: File, pieceBytes: number, progress: (share: number) => void) {
  const id = notice.id;
  const path = (file: string) => ({ path: { id, file } });
  const look = async (file: string) => (await must(client.GET("/api/v1/agency-work/{id}", { params: { path: { id } } }))).files.find((each) => each.id === file);
  return sendInPieces(content, pieceBytes, {
    begin: async () => {
      const begun = notice.files.find((file) => file.from_agency && file.state === "receiving" && file.name === content.name && file.bytes === content.size);
      const there = begun && (await look(begun.id));
      return there ?? must(client.POST("/api/v1/agency-work/{id}/files", { params: { path: { id } }, body: { name: content.name, bytes: content.size } }));
    },
    put: (file, at, piece) =>
      must(
        client.PUT("/api/v1/agency-work/{id}/files/{file}", {
          params: { ...path(file), query: { at } },
          body: piece as unknown as number[],
          bodySerializer: (body) => body as unknown as BodyInit,
          headers: { "content-type": "application/octet-stream" },
        }),
      ),
    look,
    progress,
  });
}
