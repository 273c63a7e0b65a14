// Messages as they would be sent now: each template in each language, as a mail or in the shape of a webhook.
import { SegmentedControl, Select } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Panel } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { useChannels, usePreview } from "./queries";
import styles from "./Notices.module.css";

const TEMPLATES = ["alert", "escalation", "digest", "channel", "test", "agency"] as const;

export function Templates() {
  const { t, i18n } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const template = TEMPLATES.find((each) => each === search.get("template")) ?? "alert";
  const shape = search.get("shape") ?? "";
  const [lang, setLang] = useState<"vi" | "en">(i18n.language === "en" ? "en" : "vi");
  const channels = useChannels();
  const preview = usePreview(template, lang, shape);
  const set = (name: string, value: string) =>
    setSearch(
      (now) => {
        const next = new URLSearchParams(now);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const shapes = (channels.data?.shapes ?? []).map(({ id, name_vi, name_en }) => ({ value: id, label: i18n.language === "vi" ? name_vi : name_en }));
  return (
    <>
      <div className={styles.tools}>
        <Select label={t("notices.template.which")} value={template} data={TEMPLATES.map((value) => ({ value, label: t(`notices.template.names.${value}`) }))} onChange={(value) => set("template", value ?? "alert")} />
        <Select label={t("notices.template.form")} value={shape || "mail"} w={320} data={[{ value: "mail", label: t("notices.template.mail") }, ...shapes]} onChange={(value) => set("shape", value === "mail" ? "" : (value ?? ""))} />
        <SegmentedControl size="xs" mb={3} aria-label={t("notices.template.language")} value={lang} onChange={(value) => setLang(value === "en" ? "en" : "vi")} data={(["vi", "en"] as const).map((value) => ({ value, label: t(`notices.channel.languages.${value}`) }))} />
      </div>
      {preview.isPending ? (
        <SkeletonRows rows={8} />
      ) : preview.isError ? (
        <Failed error={preview.error} retry={() => void preview.refetch()} />
      ) : (
        <Panel title={preview.data.subject} aside={<span className="dim">{preview.data.real ? t("notices.template.real") : t("notices.template.sample")}</span>}>
          {preview.data.html ? (
            <div className={styles.preview}>
              <iframe className={styles.frame} sandbox="" srcDoc={preview.data.html} title={t("notices.template.html")} />
              <pre className={styles.text} tabIndex={0} role="region" aria-label={t("notices.template.text")}>
                {preview.data.text}
              </pre>
            </div>
          ) : (
            <pre className={styles.text} tabIndex={0} role="region" aria-label={t("notices.template.body")}>
              {JSON.stringify(JSON.parse(preview.data.text), null, 2)}
            </pre>
          )}
          <p className={styles.hint}>{t("notices.template.hint")}</p>
        </Panel>
      )}
    </>
  );
}
