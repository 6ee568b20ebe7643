import type * as v from "valibot";

/**
 * Validation issues in the words that clients of this protocol know (protocol.md 1.4): path, then reason, joined by `; `.
 */
export function explain(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(explainOne).join("; ");
}

function explainOne(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map((item) => String(item.key));
  const last = keys.at(-1) ?? "";
  if (issue.received === "undefined" && issue.expected === JSON.stringify(last)) {
    return `${at(keys.slice(0, -1), "")}must have required property '${last}'`;
  }
  if (issue.expected === "never") return `${at(keys.slice(0, -1), "at root: ")}unexpected property '${last}'`;
  return `${at(keys, "")}${reason(issue)}`;
}

function at(keys: readonly string[], root: string): string {
  return keys.length === 0 ? root : `at /${keys.join("/")}: `;
}

function reason(issue: v.BaseIssue<unknown>): string {
  const requirement = "requirement" in issue ? String(issue.requirement) : "";
  switch (issue.type) {
    case "picklist":
    case "enum":
      return "must be equal to one of the allowed values";
    case "literal":
      return "must be equal to constant";
    case "min_length":
    case "non_empty":
      return `must not have fewer than ${requirement || 1} characters`;
    case "max_length":
      return `must not have more than ${requirement} characters`;
    case "min_value":
      return `must be >= ${requirement}`;
    case "max_value":
      return `must be <= ${requirement}`;
    case "integer":
    case "safe_integer":
      return "must be integer";
    case "string":
    case "number":
    case "boolean":
    case "array":
      return `must be ${issue.type}`;
    case "object":
    case "loose_object":
    case "strict_object":
    case "record":
      return "must be object";
    default:
      return issue.message;
  }
}
