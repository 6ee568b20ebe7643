import type { Grammar, GrammarPlace, ValueRule } from "./completion.ts";

/** A completion script for Windows PowerShell 5.1 and PowerShell 7, to be run by the profile. */
export function powershellCompletion({ places, values }: Grammar, programs: readonly string[]): string {
  return `# PowerShell completion for ${programs.join(", ")}
Register-ArgumentCompleter -Native -CommandName ${programs.map(quoted).join(", ")} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${places.map((each) => entry(each, each.words)).join("\n")}
  }
  $flags = @{
${places.map((each) => entry(each, each.flags)).join("\n")}
  }
  $values = @{
${values.flatMap(rules).join("\n")}
  }
  $at = ''
  $flag = ''
  $operand = $false
  $choicesOf = {
    param($name)
    foreach ($key in "$at $name", "* $name") { if ($values.ContainsKey($key)) { return , $values[$key] } }
    return $null
  }
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    if ($element.Extent.EndOffset -ge $cursorPosition) { break }
    $word = $element.Extent.Text
    if ($flag -and -not $word.StartsWith('--')) { $flag = ''; continue }
    $flag = ''
    if ($word -eq '--') { return }
    if ($word -like '-*=*') { continue }
    if ($word.StartsWith('-')) { if ($null -ne (& $choicesOf $word)) { $flag = $word }; continue }
    if (-not $operand -and $words[$at] -and $words[$at].Contains($word)) { $at = "$at $word".Trim() } else { $operand = $true }
  }
  $before = ''
  if ($wordToComplete -match '^(--[^=]+)=') { $flag = $Matches[1]; $before = "$flag=" }
  elseif ($wordToComplete.StartsWith('--')) { $flag = '' }
  $found = [ordered]@{}
  if ($flag) { foreach ($choice in (& $choicesOf $flag)) { $found["$before$choice"] = "$choice" } }
  elseif ($wordToComplete.StartsWith('-')) { $found = $flags[$at] }
  elseif (-not $operand) { $found = $words[$at] }
  foreach ($name in $found.Keys) {
    if ($name.StartsWith($wordToComplete)) {
      [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $found[$name])
    }
  }
}
`;
}

function entry({ path }: GrammarPlace, entries: GrammarPlace["words"]): string {
  const pairs = entries.map(({ name, description }) => `${quoted(name)} = ${quoted(description)}`).join("; ");
  return `    ${quoted(path)} = [ordered]@{ ${pairs} }`;
}

/** An option without choices has an empty list; PowerShell offers files by itself when nothing else is found. */
function rules({ at, takesValue, choices }: ValueRule): readonly string[] {
  const value = takesValue ? `@(${choices.map(quoted).join(", ")})` : "$null";
  return at.map(({ path, flag }) => `    ${quoted(`${path} ${flag}`)} = ${value}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
