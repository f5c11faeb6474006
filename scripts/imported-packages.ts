import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import ts from "typescript";

/** Names of the npm packages that the JavaScript and TypeScript files below a folder import, types apart. */
export const importedPackages = (folder: string): ReadonlySet<string> => {
  const names = new Set<string>();
  for (const { parentPath, name } of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!/\.m?[jt]s$/.test(name) || name.endsWith(".d.ts")) continue;
    for (const specifier of specifiersOf(join(parentPath, name))) {
      if (specifier.startsWith(".") || isBuiltin(specifier)) continue;
      names.add(specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/"));
    }
  }
  return names;
};

/** Of `import`, `export … from`, `import()` and `require()`, as far as they are written as a text; never of a type alone. */
const specifiersOf = (file: string): string[] => {
  const found: string[] = [];
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly !== true) take(node.moduleSpecifier);
    if (ts.isExportDeclaration(node) && !node.isTypeOnly) take(node.moduleSpecifier);
    if (ts.isCallExpression(node) && (node.expression.kind === ts.SyntaxKind.ImportKeyword || isRequire(node.expression)))
      take(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  const take = (node: ts.Expression | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  visit(source);
  return found;
};

const isRequire = (callee: ts.Expression): boolean =>
  ts.isIdentifier(callee)
    ? callee.text === "require"
    : ts.isPropertyAccessExpression(callee) && callee.name.text === "resolve" && isRequire(callee.expression);
