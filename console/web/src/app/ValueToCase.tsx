// Notes a value in a case that is worked on.
import { Button, Group, Modal, Select, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../api/client";
import { notify, notifyFailure } from "../ui/notify";

export interface FieldValue {
  field: string;
  value: string;
}

export function ValueToCase({ what, onClose }: { what: FieldValue | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={what !== null} onClose={onClose} title={t("alerts.value.to_case_title")} size="md">
      {what && <Choose what={what} onClose={onClose} />}
    </Modal>
  );
}

function Choose({ what, onClose }: { what: FieldValue; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [id, setId] = useState<string | null>(null);
  const cases = useQuery({
    queryKey: ["cases", "active"],
    queryFn: async () => (await must(client.GET("/api/v1/cases", { params: { query: { status: "active", limit: 100 } } }))).items,
  });
  const add = useMutation({
    mutationFn: (id: string) => must(client.POST("/api/v1/cases/{id}/notes", { params: { path: { id } }, body: { text: `${what.field}: ${what.value}` } })),
    onSuccess: (made) => {
      notify(t("alerts.value.to_case_done", { number: made.number }));
      void queries.invalidateQueries({ queryKey: ["case", made.id] });
      onClose();
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  return (
    <Stack>
      <code>
        {what.field}: {what.value}
      </code>
      <Select label={t("alerts.escalate.case")} placeholder={t("alerts.escalate.choose")} searchable data-autofocus value={id} onChange={setId} data={(cases.data ?? []).map((each) => ({ value: each.id, label: `#${each.number} ${each.title}` }))} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={id === null} loading={add.isPending} onClick={() => id !== null && add.mutate(id)}>
          {t("alerts.value.to_case")}
        </Button>
      </Group>
    </Stack>
  );
}
