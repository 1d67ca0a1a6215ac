import { escaped, joinMarkdown, md } from '../../base/markdown';
import { plain } from '../../base/safeText';
import { noticeText, type Notice } from '../../model/modelInfo';
import { formatReport, type ExtractionReport } from '../../onnx/report/report';
import type { ReportView } from '../../protocol';
import { accountMarkdown, type InputAccount } from './inputAccount';
import type { ModelAccess } from '../files/modelAccess';

/** The report of a model's files as one document: one report as it is, several as `{ "files": [ … ] }`, with where the input comes from; what is to be said of its settings stands at the end. */
export function reportView(
  title: string,
  reports: readonly ExtractionReport[],
  { cachedFiles }: Pick<ModelAccess, 'cachedFiles'>,
  { account, notices = [] }: { readonly account: InputAccount; readonly notices?: readonly Notice[] },
): ReportView {
  const [only] = reports;
  const json = { ...(reports.length === 1 ? only : { files: reports }), inputFrom: account };
  const cached =
    cachedFiles.size === 0
      ? []
      : [
          md`\n${cachedFiles.size} of the files are links out of the model's folder, into the blobs of the same model in the cache of the Hugging Face hub.\n`,
        ];
  const told = notices.map((notice) => md`\n${escaped(noticeText(notice))}\n`);
  return {
    title: plain(title),
    markdown: joinMarkdown(
      [
        joinMarkdown(
          reports.map((report) => formatReport(report, title)),
          '\n',
        ),
        accountMarkdown(account),
        ...cached,
        ...told,
      ],
      '',
    ),
    json: JSON.stringify(json, undefined, 2),
  };
}
