"""Service tags: what each holds, as far as a document says it, and the date of that document.

Source: Azure documentation, "Virtual network service tags", table "Available service tags". Microsoft moves the
addresses of nearly every tag each week and publishes them as data (``az network list-service-tags``), which is not
read: such a tag is known by name alone, and whether it holds a public address is not known. What the tags of the
platform hold is fixed: "What is IP address 168.63.129.16", "Azure Instance Metadata Service", and, for the probe's
IPv6 address, the agent of Azure's container networking that lets it through (ipv6-hp-bpf).
"""

from aksnav.model.addresses import is_v4, parse_address
from aksnav.model.public import is_public
from aksnav.trace.ternary import Answer, Unknown

AS_OF = "2023-01-26"
"""The date that the page of the table below gives itself; a tag that is newer is not known by name."""

PLATFORM = parse_address("168.63.129.16")
"""The host's virtual address: DNS, DHCP, the agent's channel, and the source of health probes."""
METADATA = parse_address("169.254.169.254")
"""The instance metadata service."""
PROBE_V6 = parse_address("fe80::1234:5678:9abc")
"""The source of health probes over IPv6."""

VIRTUAL_NETWORK, INTERNET, LOAD_BALANCER = "virtualnetwork", "internet", "azureloadbalancer"
COMPUTED = frozenset({VIRTUAL_NETWORK, INTERNET})
"""Tags that depend on the network: ``tags.py`` works them out."""
PLATFORM_TAGS = frozenset({"azureplatformdns", "azureplatformimds", "azureplatformlkm"})
"""Tags with which a rule reaches traffic of the platform that is exempt otherwise."""
_FIXED = {
    LOAD_BALANCER: frozenset({PLATFORM, PROBE_V6}),
    "azureplatformdns": frozenset({PLATFORM}),
    "azureplatformimds": frozenset({METADATA}),
}
# Documented as without IPv6 addresses.
_V4_ONLY = frozenset({"azurecloud"})

# Name of each tag whose addresses are public and change; True: it has regional forms (Storage.WestEurope).
_NAMED: dict[str, bool] = dict.fromkeys(
    """
    ActionGroup ApplicationInsightsAvailability AppConfiguration AppServiceManagement AzureActiveDirectory
    AzureActiveDirectoryDomainServices AzureAdvancedThreatProtection AzureArcInfrastructure AzureAttestation
    AzureBackup AzureBotService AzureCognitiveSearch AzureDatabricks AzureDataExplorerManagement AzureDataLake
    AzureDeviceUpdate AzureDevSpaces AzureDigitalTwins AzureEventGrid AzureHealthcareAPIs AzureInformationProtection
    AzureLoadTestingInstanceManagement AzureMachineLearning AzureMachineLearningInference AzureManagedGrafana
    AzureMonitor AzureOpenDatasets AzurePlatformLKM AzureResourceManager AzureSentinel AzureSignalR AzureSiteRecovery
    AzureSphere AzureSpringCloud AzureStack AzureTrafficManager AzureUpdateDelivery ChaosStudio
    CognitiveServicesFrontend CognitiveServicesManagement DataFactoryManagement Dynamics365BusinessCentral
    EOPExternalPublishedIPs GatewayManager GuestAndHybridManagement KustoAnalytics LogicApps LogicAppsManagement
    Marketplace MicrosoftAzureFluidRelay MicrosoftCloudAppSecurity MicrosoftDefenderForEndpoint
    MicrosoftPurviewPolicyDistribution PowerBI PowerQueryOnline ServiceFabric SqlManagement StorageSyncService
    WindowsAdminCenter WindowsVirtualDesktop
    """.split(),  # noqa: SIM905 - lines of names can be compared with the document
    False,
) | dict.fromkeys(
    """
    ApiManagement AppService AutonomousDevelopmentPlatform AzureCloud AzureConnectors AzureContainerAppsService
    AzureContainerRegistry AzureCosmosDB AzureDevOps AzureFrontDoor.Frontend AzureFrontDoor.Backend
    AzureFrontDoor.FirstParty AzureIoTHub AzureKeyVault AzureWebPubSub BatchNodeManagement DataFactory
    Dynamics365ForMarketingEmail EventHub HDInsight M365ManagementActivityApi M365ManagementActivityApiWebhook
    MicrosoftContainerRegistry PowerPlatformInfra PowerPlatformPlex ServiceBus Sql Storage
    """.split(),  # noqa: SIM905 - lines of names can be compared with the document
    True,
)
_BY_FOLDED = {name.lower(): regional for name, regional in _NAMED.items()}


def folded(text: str) -> str:
    """Return a tag without regard to case, in the spelling of Resource Manager (``VIRTUAL_NETWORK`` is classic)."""
    return text.strip().lower().replace("_", "")


def is_known(text: str) -> bool:
    """Return whether a text is a tag of the table, or a regional form of one."""
    tag = folded(text)
    if tag in COMPUTED or tag in _FIXED or tag in _BY_FOLDED:
        return True
    head, dot, region = tag.rpartition(".")
    return bool(dot and region) and _BY_FOLDED.get(head, False)


def holds(text: str, address: int | None) -> Answer:
    """Return whether a tag holds an address; for the tags that depend on the network ask ``tags.match``.

    Args:
        text: the tag as a rule or a route names it.
        address: None for any client of the internet: no tag of a service holds them all.
    """
    tag = folded(text)
    if tag in _FIXED:
        return address in _FIXED[tag]
    if not is_known(text):
        return Unknown(f"{text} is no prefix, and no service tag of the table of {AS_OF}: what it holds is not known")
    if address is None or not is_public(address):
        return False
    if tag.partition(".")[0] in _V4_ONLY and not is_v4(address):
        return False
    return Unknown(f"service tag {text}: its addresses change weekly and are not read (table of {AS_OF})")
