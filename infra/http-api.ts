/** Where the HTTP API is reached: by itself, since what the functions are told names its address. */
export const httpApi = new sst.aws.ApiGatewayV2("HttpApi", {
  // no browser of another origin has business here
  cors: false,
  accessLog: { retention: "1 month" },
  transform: { stage: { defaultRouteSettings: { throttlingBurstLimit: 100, throttlingRateLimit: 50 } } },
});
