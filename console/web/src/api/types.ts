// Short names for the generated types of the interface.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AlertGroup = Schemas["AlertGroup"];
export type AlertQuery = Schemas["AlertQuery"];
export type AlertRow = Schemas["AlertRow"];
export type AlertDetail = Schemas["AlertDetail"];
export type AlertList = Schemas["AlertList"];
export type Alert = Schemas["Alert"];
export type AlertStatus = Schemas["AlertStatus"];
export type ApiToken = Schemas["ApiToken"];
export type Agency = Schemas["Agency"];
export type AgencyDetail = Schemas["AgencyDetail"];
export type AgencyFields = Schemas["AgencyFields"];
export type AgencyRecord = Schemas["AgencyRecord"];
export type AgencyRow = Schemas["AgencyRow"];
export type AuditEntry = Schemas["AuditEntry"];
export type Block = Schemas["Block"];
export type BulkAnswer = Schemas["BulkAnswer"];
export type BulkRequest = Schemas["BulkRequest"];
export type CaseData = Schemas["CaseData"];
export type CaseDetail = Schemas["CaseDetail"];
export type CaseEntry = Schemas["Entry"];
export type CaseEvidence = Schemas["CaseEvidence"];
export type CaseRef = Schemas["CaseRef"];
export type CaseRow = Schemas["CaseRow"];
export type CaseStatus = Schemas["CaseStatus"];
export type ChangeCase = Schemas["ChangeCase"];
export type ChangeTask = Schemas["ChangeTask"];
export type CitedList = Schemas["CitedList"];
export type CodeProposal = Schemas["CodeProposal"];
export type ChainReport = Schemas["ChainReport"];
export type Endpoint = Schemas["Endpoint"];
export type EventDocument = Schemas["EventDocument"];
export type GroupList = Schemas["GroupList"];
export type Grouping = Schemas["Grouping"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Lang = Schemas["Lang"];
export type MatchedField = Schemas["MatchedField"];
export type ImportPlan = Schemas["ImportPlan"];
export type InboxItem = Schemas["InboxItem"];
export type NewCase = Schemas["NewCase"];
export type Notice = Schemas["Notice"];
export type Observable = Schemas["Observable"];
export type Pap = Schemas["Pap"];
export type Person = Schemas["Person"];
export type Priority = Schemas["Priority"];
export type PlannedRow = Schemas["PlannedRow"];
export type ProblemBody = Schemas["ProblemBody"];
export type Review = Schemas["Review"];
export type RecordContent = Schemas["RecordContent"];
export type RecordKind = RecordContent["kind"];
export type RegisterTable = Schemas["RegisterTable"];
export type Role = Schemas["Role"];
export type RowFault = Schemas["RowFault"];
export type RuleDetail = Schemas["RuleDetail"];
export type RuleKind = Schemas["RuleKind"];
export type RuleLine = Schemas["RuleLine"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type SearchRequest = Schemas["SearchRequest"];
export type Sensor = Schemas["Sensor"];
export type SensorState = Schemas["SensorState"];
export type SessionInfo = Schemas["SessionInfo"];
export type Severity = Schemas["Severity"];
export type SimilarAlert = Schemas["SimilarAlert"];
export type Scope = Schemas["Scope"];
export type StageLine = Schemas["StageLine"];
export type Suppression = Schemas["Suppression"];
export type SuppressionPreview = Schemas["SuppressionPreview"];
export type Task = Schemas["Task"];
export type Theme = Schemas["Theme"];
export type Timeline = Schemas["Timeline"];
export type Tlp = Schemas["Tlp"];
export type User = Schemas["User"];
export type Verdict = Schemas["Verdict"];
export type Visibility = Schemas["Visibility"];
export type View = Schemas["View"];
export type VisibilityNow = Schemas["VisibilityNow"];

/** A field of the catalogue, as the collector publishes it. */
export interface CatalogueField {
  name: string;
  kind: "keyword" | "text" | "ip" | "long" | "float" | "boolean" | "date" | "bytes";
  index: "column" | "term" | "stored";
  list?: boolean;
  doc: string;
}

/** Severities, worst first. */
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "info"];
export const VERDICTS: readonly Verdict[] = ["true_positive", "false_positive", "benign", "test"];
export const CASE_STATUSES: readonly CaseStatus[] = ["new", "in_progress", "waiting", "resolved", "closed"];
export const ROLES: readonly Role[] = ["analyst", "manager", "auditor", "agency", "admin"];
