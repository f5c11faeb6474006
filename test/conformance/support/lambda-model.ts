import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Lambda's own description of its interface, as botocore ships it: operations, shapes, patterns and errors. */
export type Shape = {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string; readonly location?: string }>>;
  readonly member?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
  readonly error?: { readonly httpStatusCode: number };
};
export type Model = {
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
        readonly output?: { readonly shape: string };
        readonly errors?: readonly { readonly shape: string }[];
      }
    >
  >;
  readonly shapes: Readonly<Record<string, Shape>>;
};

const READ = `
import json, botocore.session
loader = botocore.session.get_session().get_component("data_loader")
print(json.dumps(loader.load_service_model("lambda", "service-2")))
`;

/** `undefined` where there is no Python with botocore. */
export const lambdaModel = async (): Promise<Model | undefined> => {
  const read = await promisify(execFile)("python3", ["-c", READ], { maxBuffer: 256 * 1024 * 1024 }).catch(() => undefined);
  return read === undefined ? undefined : (JSON.parse(read.stdout) as Model);
};

/** What of a value is not as its shape says, a sentence each. */
export const misfits = (model: Model, name: string, value: unknown, path = name): string[] => {
  const shape = model.shapes[name];
  if (shape === undefined || value === undefined || value === null) return [];
  if (shape.type === "structure" && typeof value === "object")
    return Object.entries(value).flatMap(([key, inner]) => {
      if (key.startsWith("$")) return [];
      const member = shape.members?.[key];
      return member === undefined ? [`${path}.${key} is not in the model`] : misfits(model, member.shape, inner, `${path}.${key}`);
    });
  if (shape.type === "list" && Array.isArray(value))
    return value.flatMap((one, index) => misfits(model, shape.member?.shape ?? "", one, `${path}[${index}]`));
  if (shape.type === "map" && typeof value === "object")
    return Object.entries(value).flatMap(([key, inner]) => misfits(model, shape.value?.shape ?? "", inner, `${path}.${key}`));
  if (shape.type === "string" && typeof value === "string") {
    if (shape.enum !== undefined && !shape.enum.includes(value)) return [`${path} is "${value}", which is none of its values`];
    if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`).test(value))
      return [`${path} is "${value}", not ${shape.pattern}`];
    if (value.length > (shape.max ?? Number.POSITIVE_INFINITY)) return [`${path} is longer than ${shape.max}`];
  }
  if ((shape.type === "integer" || shape.type === "long") && typeof value === "number")
    if (value < (shape.min ?? value) || value > (shape.max ?? value)) return [`${path} is ${value}, outside of ${shape.min}–${shape.max}`];
  return [];
};
