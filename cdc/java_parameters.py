"""Names of URL parameters that steer only the inside of a Java driver: dialect -> names in lower case.

They are read and have no effect here. Source: the manuals named in `cdc.jdbc_url`.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "mysql": """
        allowLoadLocalInfile allowMultiQueries allowPublicKeyRetrieval allowUrlInLocalInfile autoReconnect
        autoReconnectForPools blobsAreStrings cacheCallableStmts cachePrepStmts cacheResultSetMetadata
        cacheServerConfiguration characterEncoding characterSetResults clientCertificateKeyStoreType
        connectionAttributes connectionCollation connectionLifecycleInterceptors connectionTimeZone databaseTerm
        defaultAuthenticationPlugin defaultFetchSize disableSslHostnameVerification dontTrackOpenResources
        elideSetAutoCommits emptyStringsConvertToZero enabledSslProtocolSuites enabledTLSProtocols
        enableQueryTimeouts failOverReadOnly fallbackToSystemKeyStore fallbackToSystemTrustStore
        generateSimpleParameterMetadata getProceduresReturnsFunctions initialTimeout jdbcCompliantTruncation
        keyStoreType logger maintainTimeStats maxReconnects maxRows metadataCacheSize minimumFetchSize
        netTimeoutForStreamingResults noAccessToProcedureBodies noDatetimeStringSync nullCatalogMeansCurrent
        paranoid permitMysqlScheme prepStmtCacheSize prepStmtCacheSqlLimit preserveInstants profileSQL
        queryInterceptors readFromMasterWhenNoSlaves rewriteBatchedStatements roundRobinLoadBalance
        secondsBeforeRetryMaster sendFractionalSeconds serverAffinityOrder serverRSAPublicKeyFile serverTimezone
        slowQueryThresholdMillis strictUpdates tcpKeepAlive tcpNoDelay timezone timeZone tinyInt1isBit tlsVersions
        transformedBitIsBoolean treatUtilDateAsTimestamp trustCertificateKeyStoreType trustStoreType ultraDevHack
        useAffectedRows useBulkStmts useBulkStmtsForInserts useColumnNamesInFindColumn useCompression useConfigs
        useCursorFetch useHostsInPrivileges useInformationSchema useJDBCCompliantTimezoneShift useLegacyDatetimeCode
        useLocalSessionState useLocalTransactionState useMysqlMetadata useOldAliasMetadataBehavior useReadAheadInput
        useServerPrepStmts useSSPSCompatibleTimezoneShift useTimezone useUnicode yearIsDateType zeroDateTimeBehavior
    """,
    "postgresql": """
        adaptiveFetch adaptiveFetchMaximum adaptiveFetchMinimum allowEncodingChanges assumeMinServerVersion autosave
        binaryTransfer binaryTransferDisable binaryTransferEnable cancelSignalTimeout charSet cleanupSavepoints
        compatible convertBooleanToNumeric databaseMetadataCacheFields databaseMetadataCacheFieldsMiB
        defaultRowFetchSize disableColumnSanitiser escapeSyntaxCallMode groupStartupParameters
        hideUnprivilegedObjects hostRecheckSeconds jaasApplicationName jaasLogin localSocketAddress loggerFile
        loggerLevel logServerErrorDetail logUnclosedConnections maxResultBuffer maxSendBufferSize preferQueryMode
        preparedStatementCacheQueries preparedStatementCacheSizeMiB prepareThreshold protocolVersion queryTimeout
        quoteReturningIdentifiers readOnly readOnlyMode receiveBufferSize reWriteBatchedInserts sendBufferSize
        socketFactory socketFactoryArg sslfactory sslhostnameverifier sslNegotiation sslResponseTimeout stringtype
        tcpNoDelay unknownLength xmlFactoryFactory
    """,
    "sqlite": """
        date_class date_precision date_string_format jdbc.get_generated_keys open_mode shared_cache
    """,
    "oracle": "",
    "sqlserver": """
        accessToken applicationIntent authenticationScheme calcBigDecimalPrecision columnEncryptionSetting
        connectRetryCount connectRetryInterval delayLoadingLobs disableStatementPooling
        enablePrepareOnFirstPreparedStatementCall hostNameInCertificate instanceName integratedSecurity
        ipAddressPreference lastUpdateCount lockTimeout multiSubnetFailover packetSize prepareMethod queryTimeout
        replication responseBuffering selectMethod sendStringParametersAsUnicode
        sendTemporalDataTypesAsStringForBulkCopy sendTimeAsDatetime serverNameAsACE
        serverPreparedStatementDiscardThreshold socketTimeout sslProtocol statementPoolingCacheSize
        transparentNetworkIPResolution trustServerCertificate trustStore trustStorePassword trustStoreType
        useBulkCopyForBatchInsert useCursors useFmtOnly workstationID xopenStates
    """,
}
JAVA_ONLY: Final = {dialect: frozenset(names.lower().split()) for dialect, names in _NAMES.items()}
