import { formatReport, type ExtractionReport } from '../onnx/report';
import type { ReportView } from '../protocol';

/** The report of a model's files as one document: one report as it is, several as `{ "files": [ … ] }`. */
export function reportView(title: string, reports: readonly ExtractionReport[]): ReportView {
  const [only] = reports;
  const json = reports.length === 1 ? only : { files: reports };
  return { title, markdown: reports.map(formatReport).join('\n'), json: JSON.stringify(json, undefined, 2) };
}
