//! Interfaces of Windows that have a usual name, and those of their procedures that tell an attack or the work of an
//! administrator. The numbers are those of Microsoft's open specifications ([MS-SAMR], [MS-DRSR] and so on).

/// An interface: its UUID, its name, procedures by number.
struct Interface {
    uuid: &'static str,
    name: &'static str,
    operations: &'static [(u16, &'static str)],
}

/// Name of an interface.
pub fn name(uuid: &str) -> Option<&'static str> {
    find(uuid).map(|interface| interface.name)
}

/// Name of a procedure.
pub fn operation(uuid: &str, number: u16) -> Option<&'static str> {
    find(uuid)?.operations.iter().find(|(operation, _)| *operation == number).map(|(_, name)| *name)
}

fn find(uuid: &str) -> Option<&'static Interface> {
    INTERFACES.iter().find(|interface| interface.uuid == uuid)
}

const fn plain(uuid: &'static str, name: &'static str) -> Interface {
    Interface { uuid, name, operations: &[] }
}

static INTERFACES: &[Interface] = &[
    Interface {
        uuid: "e1af8308-5d1f-11c9-91a4-08002b14a0fa",
        name: "epmapper",
        operations: &[(2, "ept_lookup"), (3, "ept_map"), (4, "ept_lookup_handle_free")],
    },
    Interface {
        uuid: "367abb81-9844-35f1-ad32-98f038001003",
        name: "svcctl",
        operations: &[
            (0, "RCloseServiceHandle"),
            (1, "RControlService"),
            (2, "RDeleteService"),
            (6, "RQueryServiceStatus"),
            (11, "RChangeServiceConfigW"),
            (12, "RCreateServiceW"),
            (14, "REnumServicesStatusW"),
            (15, "ROpenSCManagerW"),
            (16, "ROpenServiceW"),
            (17, "RQueryServiceConfigW"),
            (19, "RStartServiceW"),
            (24, "RCreateServiceA"),
            (27, "ROpenSCManagerA"),
            (28, "ROpenServiceA"),
            (31, "RStartServiceA"),
        ],
    },
    Interface {
        uuid: "12345778-1234-abcd-ef00-0123456789ac",
        name: "samr",
        operations: &[
            (0, "SamrConnect"),
            (1, "SamrCloseHandle"),
            (5, "SamrLookupDomainInSamServer"),
            (6, "SamrEnumerateDomainsInSamServer"),
            (7, "SamrOpenDomain"),
            (8, "SamrQueryInformationDomain"),
            (11, "SamrEnumerateGroupsInDomain"),
            (13, "SamrEnumerateUsersInDomain"),
            (15, "SamrEnumerateAliasesInDomain"),
            (16, "SamrGetAliasMembership"),
            (17, "SamrLookupNamesInDomain"),
            (18, "SamrLookupIdsInDomain"),
            (19, "SamrOpenGroup"),
            (25, "SamrGetMembersInGroup"),
            (27, "SamrOpenAlias"),
            (33, "SamrGetMembersInAlias"),
            (34, "SamrOpenUser"),
            (36, "SamrQueryInformationUser"),
            (37, "SamrSetInformationUser"),
            (39, "SamrGetGroupsForUser"),
            (40, "SamrQueryDisplayInformation"),
            (46, "SamrQueryInformationDomain2"),
            (50, "SamrCreateUser2InDomain"),
            (55, "SamrUnicodeChangePasswordUser2"),
            (57, "SamrConnect2"),
            (58, "SamrSetInformationUser2"),
            (62, "SamrConnect4"),
            (64, "SamrConnect5"),
        ],
    },
    Interface {
        uuid: "12345778-1234-abcd-ef00-0123456789ab",
        name: "lsarpc",
        operations: &[
            (0, "LsarClose"),
            (6, "LsarOpenPolicy"),
            (7, "LsarQueryInformationPolicy"),
            (11, "LsarEnumerateAccounts"),
            (13, "LsarEnumerateTrustedDomains"),
            (14, "LsarLookupNames"),
            (15, "LsarLookupSids"),
            (28, "LsarOpenSecret"),
            (29, "LsarSetSecret"),
            (30, "LsarQuerySecret"),
            (43, "LsarRetrievePrivateData"),
            (44, "LsarOpenPolicy2"),
            (45, "LsarGetUserName"),
            (46, "LsarQueryInformationPolicy2"),
            (57, "LsarLookupSids2"),
            (58, "LsarLookupNames2"),
            (68, "LsarLookupNames3"),
            (76, "LsarLookupSids3"),
            (77, "LsarLookupNames4"),
        ],
    },
    Interface {
        uuid: "12345678-1234-abcd-ef00-01234567cffb",
        name: "netlogon",
        operations: &[
            (2, "NetrLogonSamLogon"),
            (4, "NetrServerReqChallenge"),
            (5, "NetrServerAuthenticate"),
            (6, "NetrServerPasswordSet"),
            (15, "NetrServerAuthenticate2"),
            (21, "NetrLogonGetCapabilities"),
            (26, "NetrServerAuthenticate3"),
            (29, "NetrLogonGetDomainInfo"),
            (30, "NetrServerPasswordSet2"),
            (34, "DsrGetDcNameEx2"),
            (39, "NetrLogonSamLogonEx"),
            (40, "DsrEnumerateDomainTrusts"),
            (45, "NetrLogonSamLogonWithFlags"),
            (46, "NetrServerGetTrustInfo"),
        ],
    },
    Interface {
        uuid: "e3514235-4b06-11d1-ab04-00c04fc2dcd2",
        name: "drsuapi",
        operations: &[
            (0, "IDL_DRSBind"),
            (1, "IDL_DRSUnbind"),
            (2, "IDL_DRSReplicaSync"),
            (3, "IDL_DRSGetNCChanges"),
            (4, "IDL_DRSUpdateRefs"),
            (5, "IDL_DRSReplicaAdd"),
            (8, "IDL_DRSVerifyNames"),
            (12, "IDL_DRSCrackNames"),
            (13, "IDL_DRSWriteSPN"),
            (16, "IDL_DRSDomainControllerInfo"),
            (17, "IDL_DRSAddEntry"),
        ],
    },
    Interface {
        uuid: "1ff70682-0a51-30e8-076d-740be8cee98b",
        name: "atsvc",
        operations: &[(0, "NetrJobAdd"), (1, "NetrJobDel"), (2, "NetrJobEnum"), (3, "NetrJobGetInfo")],
    },
    Interface {
        uuid: "86d35949-83c9-4044-b424-db363231fd0c",
        name: "ITaskSchedulerService",
        operations: &[
            (1, "SchRpcRegisterTask"),
            (2, "SchRpcRetrieveTask"),
            (7, "SchRpcEnumTasks"),
            (12, "SchRpcRun"),
            (13, "SchRpcDelete"),
            (17, "SchRpcGetTaskInfo"),
        ],
    },
    Interface {
        uuid: "4b324fc8-1670-01d3-1278-5a47bf6ee188",
        name: "srvsvc",
        operations: &[
            (8, "NetrConnectionEnum"),
            (9, "NetrFileEnum"),
            (12, "NetrSessionEnum"),
            (14, "NetrShareAdd"),
            (15, "NetrShareEnum"),
            (16, "NetrShareGetInfo"),
            (18, "NetrShareDel"),
            (21, "NetrServerGetInfo"),
            (28, "NetrRemoteTOD"),
            (31, "NetprPathCanonicalize"),
            (32, "NetprPathCompare"),
        ],
    },
    Interface {
        uuid: "6bffd098-a112-3610-9833-46c3f87e345a",
        name: "wkssvc",
        operations: &[(0, "NetrWkstaGetInfo"), (2, "NetrWkstaUserEnum"), (22, "NetrJoinDomain2")],
    },
    Interface {
        uuid: "338cd001-2244-31f1-aaaa-900038001003",
        name: "winreg",
        operations: &[
            (0, "OpenClassesRoot"),
            (1, "OpenCurrentUser"),
            (2, "OpenLocalMachine"),
            (5, "BaseRegCloseKey"),
            (6, "BaseRegCreateKey"),
            (7, "BaseRegDeleteKey"),
            (9, "BaseRegEnumKey"),
            (10, "BaseRegEnumValue"),
            (15, "BaseRegOpenKey"),
            (16, "BaseRegQueryInfoKey"),
            (17, "BaseRegQueryValue"),
            (20, "BaseRegSaveKey"),
            (22, "BaseRegSetValue"),
            (26, "BaseRegGetVersion"),
        ],
    },
    Interface {
        uuid: "12345678-1234-abcd-ef00-0123456789ab",
        name: "spoolss",
        operations: &[
            (1, "RpcOpenPrinter"),
            (29, "RpcClosePrinter"),
            (62, "RpcRemoteFindFirstPrinterChangeNotification"),
            (65, "RpcRemoteFindFirstPrinterChangeNotificationEx"),
            (69, "RpcOpenPrinterEx"),
            (70, "RpcAddPrinterEx"),
            (89, "RpcAddPrinterDriverEx"),
        ],
    },
    Interface { uuid: "c681d488-d850-11d0-8c52-00c04fd90f7e", name: "lsarpc-efs", operations: EFS },
    Interface { uuid: "df1941c5-fe89-4e79-bf10-463657acf44d", name: "efsrpc", operations: EFS },
    Interface {
        uuid: "99fcfec4-5260-101b-bbcb-00aa0021347a",
        name: "IOXIDResolver",
        operations: &[(0, "ResolveOxid"), (3, "ServerAlive"), (4, "ResolveOxid2"), (5, "ServerAlive2")],
    },
    Interface {
        uuid: "000001a0-0000-0000-c000-000000000046",
        name: "IRemoteSCMActivator",
        operations: &[(3, "RemoteGetClassObject"), (4, "RemoteCreateInstance")],
    },
    Interface {
        uuid: "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57",
        name: "IActivation",
        operations: &[(0, "RemoteActivation")],
    },
    Interface {
        uuid: "9556dc99-828c-11cf-a37e-00aa003240c7",
        name: "IWbemServices",
        operations: &[
            (6, "GetObject"),
            (16, "DeleteClass"),
            (18, "CreateInstanceEnum"),
            (20, "ExecQuery"),
            (22, "ExecNotificationQuery"),
            (24, "ExecMethod"),
        ],
    },
    Interface {
        uuid: "f309ad18-d86a-11d0-a075-00c04fb68820",
        name: "IWbemLevel1Login",
        operations: &[(3, "EstablishPosition"), (6, "NTLMLogin")],
    },
    Interface {
        uuid: "4fc742e0-4a10-11cf-8273-00aa004ae673",
        name: "netdfs",
        operations: &[(12, "NetrDfsAddStdRoot"), (13, "NetrDfsRemoveStdRoot")],
    },
    Interface {
        uuid: "a8e0653c-2744-4389-a61d-7373df8b2292",
        name: "FileServerVssAgent",
        operations: &[(8, "IsPathSupported"), (9, "IsPathShadowCopied")],
    },
    Interface {
        uuid: "82273fdc-e32a-18c3-3f78-827929dc23ea",
        name: "eventlog",
        operations: &[(0, "ElfrClearELFW"), (7, "ElfrOpenELW"), (12, "ElfrClearELFA")],
    },
    plain("f6beaff7-1e19-4fbb-9f8f-b89e2018337c", "eventlog6"),
    plain("50abc2a4-574d-40b3-9d66-ee4fd5fba076", "DnsServer"),
    plain("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "ICertPassage"),
    plain("894de0c0-0d55-11d3-a322-00c04fa321a1", "InitShutdown"),
    plain("300f3532-38cc-11d0-a3f0-0020af6b0add", "trkwks"),
    plain("3919286a-b10c-11d0-9ba8-00c04fd92ef5", "dssetup"),
    plain("6bffd098-a112-3610-9833-012892020162", "browser"),
    plain("5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc", "messenger"),
    plain("8d9f4e40-a03d-11ce-8f69-08003e30051b", "pnp"),
    plain("00000131-0000-0000-c000-000000000046", "IRemUnknown"),
    plain("00000143-0000-0000-c000-000000000046", "IRemUnknown2"),
    plain("00020400-0000-0000-c000-000000000046", "IDispatch"),
    plain("027947e1-d731-11ce-a357-000000000001", "IEnumWbemClassObject"),
];

/// Procedures of the encrypting file system, reached by two interfaces.
const EFS: &[(u16, &str)] = &[
    (0, "EfsRpcOpenFileRaw"),
    (4, "EfsRpcEncryptFileSrv"),
    (5, "EfsRpcDecryptFileSrv"),
    (6, "EfsRpcQueryUsersOnFile"),
    (7, "EfsRpcQueryRecoveryAgents"),
    (12, "EfsRpcFileKeyInfo"),
];
