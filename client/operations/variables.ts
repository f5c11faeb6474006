import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

const variables = "/v1/environments/:site/:environment/variables";

export const variableOperations: readonly Operation[] = [
  {
    method: "get",
    path: variables,
    id: "listVariables",
    summary: "Names of an environment's variables and what is known of them, never a value",
    answer: contract.ManyVariables,
  },
  {
    method: "put",
    path: variables,
    id: "setVariables",
    summary: "Sets all of them or none; they take effect with the next deployment",
    body: contract.SetVariables,
    answer: contract.VariablesChanged,
    command: true,
  },
  {
    method: "delete",
    path: `${variables}/:name`,
    id: "removeVariable",
    summary: "Removes the value of one variable",
    answer: contract.VariablesChanged,
    command: true,
  },
  {
    method: "post",
    path: `${variables}/read`,
    id: "readVariables",
    summary: "Gives the values to a token that the environment names, and records it",
    body: contract.ReadVariables,
    answer: contract.VariableValues,
    command: true,
  },
];
