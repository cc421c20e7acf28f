import { STATUS_CODES } from "node:http";
import { Problem } from "../flow/route.ts";

/** RFC 9457. `type` about:blank: the title is the status's own phrase, what to do stands in `detail` and `errors`. */
export type ProblemDocument = {
  type: string;
  title: string;
  status: number;
  detail: string;
  request_id: string;
  errors?: readonly { path: string; detail: string }[];
};

export const problemDocument = (problem: Problem, requestId: string): ProblemDocument => ({
  type: "about:blank",
  title: STATUS_CODES[problem.status] ?? "Error",
  status: problem.status,
  detail: problem.message,
  request_id: requestId,
  ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
});

const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "send the body as application/json",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "the body is not as long as its Content-Length says",
  FST_ERR_CTP_BODY_TOO_LARGE: "the body is too large: split the batch",
  FST_ERR_BAD_URL: "the path is not a valid URL",
};

/** What the web framework throws by itself, and everything unexpected, as a problem. Never shows an internal message. */
export const asProblem = (error: unknown): Problem => {
  if (error instanceof Problem) return error;
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, DETAILS[code ?? ""] ?? STATUS_CODES[statusCode] ?? "bad request");
  }
  return new Problem(500, "something went wrong on our side; the request id finds it in the logs");
};
