// The frame of a page: title at the left, actions at the right, content below, scrolling by itself.
import { useEffect, type ReactNode } from "react";
import styles from "./Page.module.css";

interface PageProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}

/** Names the browser's tab. */
export function usePageTitle(title: string) {
  useEffect(() => {
    document.title = `${title} · Lũy Tre`;
  }, [title]);
}

export function Page({ title, lead, actions, wide = false, children }: PageProps) {
  usePageTitle(title);
  return (
    <main className={styles.page}>
      <div className={wide ? styles.wide : styles.narrow}>
        <div className={styles.head}>
          <div>
            <h1 className={styles.title}>
              {title}
            </h1>
            {lead && <div className={styles.lead}>{lead}</div>}
          </div>
          {actions && <div className={styles.actions}>{actions}</div>}
        </div>
        {children}
      </div>
    </main>
  );
}

/** A framed part of a page. */
export function Panel({ title, aside, children, flush = false }: { title?: ReactNode; aside?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={styles.panel}>
      {title !== undefined && (
        <div className={styles.panelHead}>
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      <div className={flush ? undefined : styles.panelBody}>{children}</div>
    </section>
  );
}
