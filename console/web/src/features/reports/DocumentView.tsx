// A report's document of blocks as a page: the same blocks that become the PDF.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Block } from "../../api/types";
import type { components } from "../../api/schema";
import { fullTime } from "../../ui/format";
import styles from "./Reports.module.css";

type Document = components["schemas"]["Document"];

export function DocumentView({ document }: { document: Document }) {
  const { t } = useTranslation();
  return (
    <article className={styles.paper} lang={document.lang}>
      {document.letterhead && <Letterhead head={document.letterhead} />}
      <h1>{document.title}</h1>
      <p className={styles.subtitle}>{document.subtitle}</p>
      {document.blocks.map((block, at) => (
        <BlockView key={at} block={block} />
      ))}
      <footer>
        <span>{document.footer}</span>
        <span>{t("reports.made", { time: fullTime(document.generated_at) })}</span>
      </footer>
    </article>
  );
}

/** NĐ 30/2020/NĐ-CP, Phụ lục I: the issuing body at the left, the national title at the right. */
function Letterhead({ head }: { head: NonNullable<Document["letterhead"]> }) {
  return (
    <div className={styles.letterhead}>
      <div>
        {head.superior && <div>{head.superior}</div>}
        <b>{head.issuer}</b>
        <hr />
        <div>{head.symbol}</div>
      </div>
      <div>
        {head.national && (
          <>
            <b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b>
            <b className={styles.motto}>Độc lập - Tự do - Hạnh phúc</b>
            <hr />
          </>
        )}
        <i>{head.place_and_date}</i>
      </div>
    </div>
  );
}

function Linked({ href, children }: { href: string | null | undefined; children: ReactNode }) {
  if (!href || !href.startsWith("/") || href.startsWith("//")) return <>{children}</>;
  return (
    <Link to={href} className={styles.link}>
      {children}
    </Link>
  );
}

function BlockView({ block }: { block: Block }) {
  switch (block.type) {
    case "heading":
      return block.level <= 2 ? <h2>{block.text}</h2> : <h3>{block.text}</h3>;
    case "paragraph":
      return <p>{block.text}</p>;
    case "note":
      return (
        <p className={styles.note} data-tone={block.tone}>
          {block.text}
        </p>
      );
    case "facts":
      return (
        <dl className={styles.facts}>
          {block.items.map((fact) => (
            <div key={fact.label}>
              <dt>{fact.label}</dt>
              <dd>
                <Linked href={fact.href}>{fact.value}</Linked>
              </dd>
            </div>
          ))}
        </dl>
      );
    case "table":
      return <TableBlock block={block} />;
    case "bars":
      return <BarsBlock block={block} />;
  }
}

function TableBlock({ block }: { block: Extract<Block, { type: "table" }> }) {
  return (
    <table className={styles.table}>
      {block.caption && <caption>{block.caption}</caption>}
      <thead>
        <tr>
          {block.columns.map((column) => (
            <th key={column.title} scope="col" data-align={column.align}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {block.rows.map((row, at) => (
          <tr key={at}>
            {row.cells.map((cell, column) => (
              <td key={column} data-align={block.columns[column]?.align}>
                {column === 0 ? <Linked href={row.href}>{cell}</Linked> : cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function BarsBlock({ block }: { block: Extract<Block, { type: "bars" }> }) {
  const most = Math.max(1, ...block.items.map((bar) => bar.value));
  return (
    <figure className={styles.bars}>
      <figcaption>
        {block.title} ({block.unit})
      </figcaption>
      {block.items.map((bar) => (
        <div key={bar.label} className={styles.bar}>
          <span>
            <Linked href={bar.href}>{bar.label}</Linked>
          </span>
          <span className={styles.track}>
            <span style={{ width: `${(bar.value / most) * 100}%` }} />
          </span>
          <b>{bar.text}</b>
        </div>
      ))}
    </figure>
  );
}
