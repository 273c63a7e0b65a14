// The rule's name in the language of the page.
import { useTranslation } from "react-i18next";

interface Named {
  name: string;
  name_vi?: string | null;
}

/** Chooses between a rule's two names. */
export function useRuleName() {
  const { i18n } = useTranslation();
  return ({ name, name_vi }: Named) => (i18n.language === "vi" && name_vi ? name_vi : name);
}
